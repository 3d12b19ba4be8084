package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"fmt"
)

// SealLine encrypts a line for a text file that lies beside the database: AES-128-GCM with a random nonce under a key
// derived from key, as base64 without a line break. Good for 2^32 lines with one key. With key nil the line comes back
// as it is, so that a caller writes plain and encrypted files in one way.
func SealLine(key, line []byte) ([]byte, error) {
	if key == nil {
		return line, nil
	}
	aead, err := lineCipher(key)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.AppendEncode(nil, aead.Seal(nil, nil, line, nil)), nil
}

// OpenLine is the reverse of SealLine, for a line with or without its line break. A line that was sealed with another
// key or altered is ErrKey. With key nil the line comes back as it is.
func OpenLine(key, sealed []byte) ([]byte, error) {
	if key == nil {
		return sealed, nil
	}
	aead, err := lineCipher(key)
	if err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.AppendDecode(nil, sealed) // skips the line break
	if err != nil {
		return nil, fmt.Errorf("%w: the line is not base64", ErrKey)
	}
	line, err := aead.Open(nil, nil, b, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: the line was sealed with another key or altered", ErrKey)
	}
	return line, nil
}

func lineCipher(key []byte) (cipher.AEAD, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("%w: it has %d bytes, not %d", ErrKey, len(key), KeySize)
	}
	k, err := derive(key, nil, "line", KeySize)
	if err != nil {
		return nil, err
	}
	b, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(b)
}
