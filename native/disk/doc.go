// Package disk is a node's data folder: what of a node survives its process. It
// needs no node, and knows nothing of what a snapshot says but how to
// put changes to it together.
//
//	lock             held as long as the folder is open: one process at a time
//	ring             the ring file: the newest snapshot, and changes since (ringfile.go, write.go)
//	ring.prev        the one before, with its changes, for when ring cannot be used (generations.go)
//	ring.damaged     what could not be, kept for people
//	removed          the marker: this node was removed from its ring (marker.go)
//	traps/           what broke an engine (traps.go)
//
// A program opens the folder, asks whether it is marked, and loads what is there. Then
// it writes a snapshot, and what changes of it, one at a time, and in the end closes the folder:
//
//	Open(dir, log)       makes and locks it
//	Folder.Marked()      whether the node was removed; Unmark to start anew all the same
//	Folder.Writable()    what would keep snapshots from being written
//	Folder.Load()        the newest snapshot that is whole; Refuse, if an engine cannot use it
//	Folder.Use(m)        says which one it was in the end
//	Folder.Write(b)      makes b the newest
//	Folder.Append(b)     makes the newest with the change b the newest
//	Folder.Removed(m)    for a node that was removed
//	Folder.Forget()      for one that left
//	Folder.Close()       lets go of it; Abandon if the node did not start after all
//
// The machine may stop between any two steps, and any step may fail: what is there
// then is a generation of the ring, or the marker, whole.
package disk
