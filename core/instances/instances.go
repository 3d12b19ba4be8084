// Package instances keeps the instances of the library in this process and sends each call to the one that it means.
//
// Instance 0 is there from the start: a program that never heard of instances lives in it. Others are made and destroyed by
// the host. Numbers are never used again, so that a thread whose current instance was destroyed gets an error and not
// somebody else's account. Which instance a thread means, and inside whose callback it is, the C shim knows: both are
// thread-local there and come along with every call.
//
// Rejected: a handle as a parameter of every function (the interface has none), the current instance by goroutine (the
// host's threads are not goroutines).
package instances

import (
	"sync"

	"timbre/core/face"
	"timbre/model/tim"
)

// Max is how many instances there may be beside instance 0.
const Max = 1000

// Nowhere stands in Caller.Within for a thread that is not inside a callback.
const Nowhere = -1

// Caller is the thread that a call comes from.
type Caller struct {
	Current int64 // the instance that it means
	Within  int64 // the instance whose callback it is inside of, or Nowhere
}

// Registry is all instances. All methods may be called from any goroutine.
type Registry struct {
	begin func(instance int64) *face.Face

	mu   sync.RWMutex
	live map[int64]*face.Face
	last int64 // the newest number
}

// New returns a registry with instance 0. begin makes the face of a new instance.
func New(begin func(instance int64) *face.Face) *Registry {
	return &Registry{begin: begin, live: map[int64]*face.Face{0: begin(0)}}
}

// Call makes one call of the public interface. TIMExtInstanceGetCurrent does not come here: only the shim knows.
func (r *Registry) Call(from Caller, op tim.Op, args []face.Value) int64 {
	switch op {
	case tim.OpTIMExtInstanceCreate:
		return r.create()
	case tim.OpTIMExtInstanceSetCurrent:
		if r.lookup(int64(args[0].Num)) == nil {
			return tim.ResultErrParam
		}
		return tim.ResultSucc
	case tim.OpTIMExtInstanceDestroy:
		return r.destroy(int64(args[0].Num), from)
	}
	f := r.lookup(from.Current)
	if f == nil {
		return outside(op)
	}
	return f.Call(op, args, from.Within == from.Current)
}

func (r *Registry) lookup(instance int64) *face.Face {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.live[instance]
}

func (r *Registry) create() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.live) > Max {
		return -1
	}
	r.last++
	r.live[r.last] = r.begin(r.last)
	return r.last
}

func (r *Registry) destroy(instance int64, from Caller) int64 {
	f := r.remove(instance)
	if f == nil {
		return tim.ResultErrParam
	}
	f.Close(from.Within == instance) // without the lock: callbacks run meanwhile
	return tim.ResultSucc
}

func (r *Registry) remove(instance int64) *face.Face {
	r.mu.Lock()
	defer r.mu.Unlock()
	if instance == 0 {
		return nil
	}
	f := r.live[instance]
	delete(r.live, instance)
	return f
}

// outside is what a call answers whose instance is gone.
func outside(op tim.Op) int64 {
	switch op {
	case tim.OpTIMGetLoginStatus:
		return tim.LoginStatusUnLogined
	case tim.OpTIMGetServerTime:
		return 0
	}
	return tim.ResultErrSDKUninit
}
