package model

// PlatformName is how the interface calls the platform of a device in tips and reports.
func PlatformName(platform string) string {
	switch platform {
	case "windows":
		return "Windows"
	case "mac":
		return "Mac"
	case "linux":
		return "Linux"
	case "android":
		return "Android"
	case "ios":
		return "iOS"
	case "web":
		return "Web"
	}
	return "Unknown"
}
