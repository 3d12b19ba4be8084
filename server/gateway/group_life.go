package gateway

// lifeHandlers is the operations on who comes into a group and leaves it.
func lifeHandlers() map[string]handler {
	return map[string]handler{}
}
