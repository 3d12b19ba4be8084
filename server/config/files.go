package config

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"timbre/model"
	"timbre/server/blob"
	"timbre/server/files"
)

// Files is the settings for files.
type Files struct {
	Dir        string        `koanf:"file_dir"`
	S3Endpoint string        `koanf:"file_s3_endpoint"`
	S3Bucket   string        `koanf:"file_s3_bucket"`
	S3Region   string        `koanf:"file_s3_region"`
	S3Key      string        `koanf:"file_s3_key"`
	S3Secret   string        `koanf:"file_s3_secret"` // a secret
	PublicURL  string        `koanf:"public_url"`
	URLLife    time.Duration `koanf:"file_url_ttl"`
	Quota      int64         `koanf:"file_quota"`
	Denied     string        `koanf:"file_deny"`
	MaxImage   int64         `koanf:"file_max_image"`
	MaxSound   int64         `koanf:"file_max_sound"`
	MaxVideo   int64         `koanf:"file_max_video"`
	MaxOther   int64         `koanf:"file_max_other"`
}

// defaultQuota is what a user may upload in a day.
const defaultQuota = 10 << 30

func fileFlags(f *pflag.FlagSet) {
	f.String("file-dir", "", `folder for users' files; none: "files" in the data folder`)
	f.String("file-s3-endpoint", "", "S3 store for users' files instead of a folder, as https://host")
	f.String("file-s3-bucket", "", "bucket in it, which must exist")
	f.String("file-s3-region", "", "its region; none: asked for")
	f.String("file-s3-key", "", "access key")
	f.String("file-s3-secret", "", "secret key; better given in the file or the environment")
	f.String("public-url", "", "address of this server in the URLs of files, as https://chat.example.org; none: the one that the uploading client uses")
	f.Duration("file-url-ttl", 0, "how long the URL of a file is good; 0: as long as the file")
	f.Int64("file-quota", defaultQuota, "bytes that a user may upload in a day; 0: no limit")
	f.String("file-deny", "", "extensions of files that are refused, as exe,bat")
	f.Int64("file-max-image", model.MaxImageFile, "bytes of an image or of a video's cover")
	f.Int64("file-max-sound", model.MaxSoundFile, "bytes of a sound")
	f.Int64("file-max-video", model.MaxVideoFile, "bytes of a video")
	f.Int64("file-max-other", model.MaxFile, "bytes of another file")
}

// Check refuses settings that cannot be meant.
func (c *Files) Check() error {
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return errors.New("public_url is written https://host or https://host/path")
		}
	}
	if c.URLLife < 0 || c.Quota < 0 {
		return errors.New("file_url_ttl and file_quota cannot be negative")
	}
	if (c.S3Endpoint == "") != (c.S3Bucket == "") {
		return errors.New("file_s3_endpoint and file_s3_bucket belong together")
	}
	return nil
}

// Rules returns the rules for files. They stay as long as retention says after they were last used.
func (c *Files) Rules(retention func() time.Duration) files.Config {
	return files.Config{PublicURL: strings.TrimRight(c.PublicURL, "/"), URLLife: c.URLLife, Quota: c.Quota,
		Max: map[model.FileKind]int64{model.FileImage: c.MaxImage, model.FileSnapshot: c.MaxImage, model.FileSound: c.MaxSound,
			model.FileVideo: c.MaxVideo, model.FileOther: c.MaxOther},
		Denied:    strings.FieldsFunc(c.Denied, func(r rune) bool { return r == ',' || r == ' ' }),
		Retention: retention}
}

// Blobs opens the place where files are kept.
func (c *Files) Blobs(ctx context.Context, data string) (blob.Store, error) {
	if c.S3Endpoint != "" {
		return blob.NewS3(ctx, blob.S3Config{Endpoint: c.S3Endpoint, Bucket: c.S3Bucket, Region: c.S3Region,
			Key: c.S3Key, Secret: c.S3Secret}, nil)
	}
	if c.Dir == "" {
		return blob.NewDisk(filepath.Join(data, "files")), nil
	}
	return blob.NewDisk(c.Dir), nil
}
