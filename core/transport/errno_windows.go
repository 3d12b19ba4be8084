package transport

import "syscall"

// What Windows itself returns; package syscall's names are inventions there that no error ever equals.
const (
	errnoRefused         = syscall.Errno(10061) // WSAECONNREFUSED
	errnoReset           = syscall.Errno(10054) // WSAECONNRESET
	errnoNetUnreachable  = syscall.Errno(10051) // WSAENETUNREACH
	errnoHostUnreachable = syscall.Errno(10065) // WSAEHOSTUNREACH
)
