package gateway

// informationHandlers is the operations on what a group is and has.
func informationHandlers() map[string]handler {
	return map[string]handler{}
}
