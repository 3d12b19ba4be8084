package face

import (
	"slices"

	"timbre/model/tim"
)

// handler does the work of one function.
type handler struct {
	// early runs before the state is looked at: it returns a negative code for arguments that the table cannot judge,
	// or answers the call itself. May be nil.
	early func(*call) int32
	// opened says that run wants to judge the arguments as soon as a user's database is open, before the login has
	// finished; it answers 6014 itself where it must.
	opened bool
	// opening is the code that the interface answers instead of 6014 while a login is running; 0: none.
	opening int
	// refused answers when the state does not permit the call; nil: with the table's empty result.
	refused func(c *call, code int, text string)
	// run does the work and sees to it that the call's callback is run exactly once.
	run func(*call)
}

// handlers is every function that is built and has a callback. What is missing here answers that it is not built.
var handlers = func() map[tim.Op]handler {
	all := map[tim.Op]handler{}
	for _, part := range []map[tim.Op]handler{managerHandlers, messageHandlers, changeHandlers, receiptHandlers,
		mediaHandlers, conversationHandlers, attributeHandlers, groupHandlers, groupDataHandlers, communityHandlers, topicHandlers, rightsHandlers, experimentalHandlers, extensionHandlers, storageHandlers,
		diagnosticsHandlers} {
		for op, h := range part {
			all[op] = h
		}
	}
	return all
}()

// elsewhere is what is answered before a call reaches a face: the shim knows the version and each thread's instance, package
// instances the others.
var elsewhere = []tim.Op{tim.OpTIMGetSDKVersion, tim.OpTIMExtInstanceCreate, tim.OpTIMExtInstanceSetCurrent,
	tim.OpTIMExtInstanceGetCurrent, tim.OpTIMExtInstanceDestroy}

// Built says whether a function is more than its argument checks.
func Built(op tim.Op) bool {
	_, direct := directCalls[op]
	_, handled := handlers[op]
	return direct || handled || op.Function().Setter || slices.Contains(elsewhere, op)
}
