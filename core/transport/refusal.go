package transport

import (
	"timbre/model/tim"
	"timbre/protocol"
)

// Public is the error as a host gets it: codes that mean something to clients alone are replaced.
func (e *Error) Public() *Error {
	switch e.Code {
	case protocol.CodeBusy, protocol.CodeInside:
		return &Error{Code: tim.ErrSDKNetWaitAckTimeout, Text: e.Text}
	case protocol.CodeOp:
		return &Error{Code: tim.ErrSDKInterfaceNotSupport, Text: e.Text}
	}
	return e
}
