package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Config says where an S3 store is.
type S3Config struct {
	Endpoint string // https://host or http://host:port
	Bucket   string // must exist
	Region   string // "" is found out
	Key      string
	Secret   string
}

// S3 keeps each file as the object files/<id>. S3 joins no parts below 5 MiB, so a part waits as parts/<id>/<n>, where
// every node of the server sees it, and sealing streams the parts into the file once more.
type S3 struct {
	client *minio.Client
	bucket string
}

// NewS3 returns a store in a bucket, which must exist. A nil transport is the library's own.
func NewS3(ctx context.Context, cfg S3Config, transport http.RoundTripper) (*S3, error) {
	u, err := url.Parse(cfg.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("the S3 endpoint is written https://host or http://host:port")
	}
	client, err := minio.New(u.Host, &minio.Options{Secure: u.Scheme == "https", Region: cfg.Region, Transport: transport,
		Creds: credentials.NewStaticV4(cfg.Key, cfg.Secret, "")})
	if err != nil {
		return nil, fmt.Errorf("S3: %w", err)
	}
	found, err := client.BucketExists(ctx, cfg.Bucket)
	if err == nil && !found {
		err = errors.New("it does not exist")
	}
	if err != nil {
		return nil, fmt.Errorf("S3 bucket %q: %w", cfg.Bucket, err)
	}
	return &S3{client: client, bucket: cfg.Bucket}, nil
}

func fileKey(id string) string        { return "files/" + id }
func partKey(id string, n int) string { return "parts/" + id + "/" + strconv.Itoa(n) }

// PutPart implements Store. The part is held in memory, so that the library can send it again by itself.
func (s *S3) PutPart(ctx context.Context, f *File, n int, r io.Reader, size int64) error {
	if !validID(f.ID) {
		return ErrMissing
	}
	part := make([]byte, size)
	if _, err := io.ReadFull(r, part); err != nil {
		return err
	}
	_, err := s.client.PutObject(ctx, s.bucket, partKey(f.ID, n), bytes.NewReader(part), size,
		minio.PutObjectOptions{DisableMultipart: true})
	return err
}

// Seal implements Store. The last bytes are held back until the sum is right, so no damaged file ever becomes visible.
func (s *S3) Seal(ctx context.Context, f *File) error {
	if !validID(f.ID) {
		return ErrMissing
	}
	if done, err := s.Has(ctx, f.ID, f.Size); done || err != nil {
		return err // sealed before, and the answer was lost
	}
	r := &joined{ctx: ctx, store: s, file: f, sum: sha256.New()}
	defer r.close()
	_, err := s.client.PutObject(ctx, s.bucket, fileKey(f.ID), r, f.Size, minio.PutObjectOptions{})
	if r.err != nil {
		return r.err
	}
	if err != nil {
		return err
	}
	return s.deleteParts(ctx, f.ID, f.parts())
}

// joined reads the parts of a file one after the other.
type joined struct {
	ctx   context.Context
	store *S3
	file  *File
	sum   hash.Hash
	part  *minio.Object
	next  int
	size  int64
	err   error
}

func (j *joined) Read(b []byte) (n int, err error) {
	if j.err != nil {
		return 0, j.err
	}
	if n, err = j.read(b); err != nil {
		if err != io.EOF {
			j.err = err
		}
		return 0, err
	}
	j.sum.Write(b[:n])
	if j.size += int64(n); j.size > j.file.Size || j.size == j.file.Size && [sha256.Size]byte(j.sum.Sum(nil)) != j.file.Sum {
		j.err = ErrDamaged
		return 0, j.err
	}
	return n, nil
}

func (j *joined) read(b []byte) (int, error) {
	for {
		if j.part == nil {
			if j.next == j.file.parts() {
				return 0, io.EOF
			}
			part, err := j.store.client.GetObject(j.ctx, j.store.bucket, partKey(j.file.ID, j.next), minio.GetObjectOptions{})
			if err != nil {
				return 0, err
			}
			j.part, j.next = part, j.next+1
		}
		n, err := j.part.Read(b)
		switch {
		case n > 0:
			return n, nil
		case err == io.EOF:
			j.close()
		case missing(err):
			return 0, ErrDamaged
		case err != nil:
			return 0, err
		}
	}
}

func (j *joined) close() {
	if j.part != nil {
		j.part.Close()
		j.part = nil
	}
}

func missing(err error) bool { return minio.ToErrorResponse(err).Code == minio.NoSuchKey }

// Has implements Store.
func (s *S3) Has(ctx context.Context, id string, size int64) (bool, error) {
	info, err := s.client.StatObject(ctx, s.bucket, fileKey(id), minio.StatObjectOptions{})
	if missing(err) {
		return false, nil
	}
	return err == nil && info.Size == size, err
}

// Open implements Store.
func (s *S3) Open(ctx context.Context, id string) (*Content, error) {
	if !validID(id) {
		return nil, ErrMissing
	}
	object, err := s.client.GetObject(ctx, s.bucket, fileKey(id), minio.GetObjectOptions{})
	if err != nil {
		return nil, err
	}
	info, err := object.Stat()
	if err != nil {
		object.Close()
		if missing(err) {
			return nil, ErrMissing
		}
		return nil, err
	}
	return &Content{ReadSeeker: object, Closer: object, Size: info.Size, Modified: info.LastModified}, nil
}

// Delete implements Store. Deleting an object that does not exist succeeds in S3.
func (s *S3) Delete(ctx context.Context, id string, parts int) error {
	if !validID(id) {
		return nil
	}
	return errors.Join(s.client.RemoveObject(ctx, s.bucket, fileKey(id), minio.RemoveObjectOptions{}),
		s.deleteParts(ctx, id, parts))
}

func (s *S3) deleteParts(ctx context.Context, id string, parts int) (err error) {
	for n := range parts {
		err = errors.Join(err, s.client.RemoveObject(ctx, s.bucket, partKey(id, n), minio.RemoveObjectOptions{}))
	}
	return err
}
