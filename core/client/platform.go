package client

import (
	"runtime"

	"timbre/model/tim"
)

// platform is the number that messages sent from here carry.
func platform() int {
	switch runtime.GOOS {
	case "windows":
		return tim.PlatformWindows
	case "darwin":
		return tim.PlatformMac
	case "android":
		return tim.PlatformAndroid
	case "ios":
		return tim.PlatformIOS
	}
	return tim.PlatformOther
}

// deviceClass is with whom a login of this machine competes.
func deviceClass() string {
	if runtime.GOOS == "darwin" {
		return "mac"
	}
	return runtime.GOOS
}
