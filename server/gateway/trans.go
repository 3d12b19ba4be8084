package gateway

// transHandlers is the operations on what is passed on without being stored, and how users receive.
func transHandlers() map[string]handler {
	return map[string]handler{}
}
