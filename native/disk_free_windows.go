package native

import "golang.org/x/sys/windows"

// diskFree is how many bytes may be written where a folder is; 0 for unknown.
func diskFree(folder string) (free uint64) {
	path, err := windows.UTF16PtrFromString(folder)
	if err != nil || windows.GetDiskFreeSpaceEx(path, &free, nil, nil) != nil {
		return 0
	}
	return free
}
