package gateway

// communityHandlers is the operations on topics and permission groups.
func communityHandlers() map[string]handler {
	return map[string]handler{}
}
