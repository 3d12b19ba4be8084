package media

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"time"

	"timbre/core/transport"
	"timbre/model/tim"
)

const (
	pauseBase = 200 * time.Millisecond
	pauseCap  = 10 * time.Second
	maxTries  = 6 // of what the server refuses though it might succeed
)

// kind of transfer: which codes it ends with.
type transfer struct {
	name      string
	failed    int // it did not work
	cancelled int // the context was cancelled
}

var (
	uploading   = transfer{"upload", tim.ErrFileTransUploadFailed, tim.ErrSVRResSendCancel}
	downloading = transfer{"download", tim.ErrFileTransDownloadFailed, tim.ErrSDKCommInterrupt}
)

// repeat tries until it works, until it cannot, or until the context ends. A try says whether it got further.
func (f *Files) repeat(ctx context.Context, t transfer, try func() (moved bool, err error)) error {
	refusals, cuts := 0, 0
	var obstacle error // the last error that was not the context's end
	for {
		moved, err := try()
		if err == nil {
			return nil
		}
		if moved {
			refusals, cuts, obstacle = 0, 0, nil
		}
		if ctx.Err() != nil {
			return t.ended(ctx, cmp.Or(obstacle, err))
		}
		obstacle = err
		again, limited := f.worthwhile(err)
		if limited {
			refusals++
		}
		if !again || refusals >= maxTries {
			return t.final(err)
		}
		f.cfg.Log.Info(t.name+" is tried again", "err", err)
		pause(ctx, cuts)
		cuts++
	}
}

// pause waits a random time below a bound that doubles with every cut.
func pause(ctx context.Context, cuts int) {
	t := time.NewTimer(rand.N(min(pauseCap, pauseBase<<min(cuts, 10))))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// worthwhile says whether an error may go away by itself, and whether that should be hoped for a few times only.
func (f *Files) worthwhile(err error) (again, limited bool) {
	var known *transport.Error
	var no *refusal
	var path *fs.PathError
	var tlsErr *tls.CertificateVerificationError
	switch {
	case errors.As(err, &known):
		return noNetwork(known.Code), false
	case errors.As(err, &no):
		return no.transient(), true
	case errors.As(err, &path), errors.As(err, &tlsErr):
		return false, false
	}
	return true, false // a cut
}

func noNetwork(code int) bool {
	return code >= tim.ErrSDKNetDisconnect && code <= tim.ErrSDKNetSendRemainingTimeoutNoNetwork && code != tim.ErrSDKNetPkgSizeLimit
}

func (r *refusal) transient() bool {
	switch r.status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusUnprocessableEntity,
		http.StatusRequestedRangeNotSatisfiable:
		return true
	}
	return r.status >= http.StatusInternalServerError
}

// final gives an error its public code.
func (t transfer) final(err error) error {
	var known *transport.Error
	var no *refusal
	var path *fs.PathError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &path):
		return failed(tim.ErrSDKCommFileOpenFailed, err.Error())
	case errors.As(err, &no):
		return failed(no.public(t), no.Error())
	}
	return failed(tim.ErrHTTPReqFailed, err.Error())
}

func (r *refusal) public(t transfer) int {
	switch {
	case r.code >= tim.ErrSVRResNotFound || r.code == tim.ErrFileTransAuthFailed:
		return r.code
	case r.status == http.StatusNotFound:
		return tim.ErrSVRResNotFound
	case r.status == http.StatusForbidden, r.status == http.StatusUnauthorized:
		return tim.ErrSVRResAccessDeny
	case r.status == http.StatusRequestEntityTooLarge:
		return tim.ErrSVRResSizeLimit
	}
	return t.failed
}

// ended is the error when the context ended: the one it was ended with, if that is public, or what was in the way.
func (t transfer) ended(ctx context.Context, last error) error {
	var known *transport.Error
	var no *refusal
	cause := context.Cause(ctx)
	switch {
	case errors.As(cause, &known):
		return known
	case !errors.Is(cause, context.DeadlineExceeded):
		return failed(t.cancelled, "the "+t.name+" was cancelled")
	case errors.As(last, &known):
		return known
	case errors.As(last, &no):
		return t.final(no)
	case errors.Is(last, context.DeadlineExceeded):
		return failed(tim.ErrSVRResTransferTimeout, "the "+t.name+" took too long")
	}
	return failed(tim.ErrSDKNetDisconnect, "no connection: "+last.Error())
}
