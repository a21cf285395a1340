package awsdoc

import (
	"crypto/sha256"
	"encoding/base64"
	"iter"
	"slices"
	"strings"
)

// Page cuts one page out of keys, sorted by order: at most size of them, after the one that the token names. The token
// is opaque to clients and stays true when keys come and go between two pages; ok is false when it is none of ours.
func Page(keys []string, order func(a, b string) int, token *string, size int) (cut []string, next *string, ok bool) {
	slices.SortFunc(keys, order)
	if t := Or(token, ""); t != "" {
		last, ok := openToken(t)
		if !ok {
			return nil, nil, false
		}
		at, found := slices.BinarySearchFunc(keys, last, order)
		if found {
			at++
		}
		keys = keys[at:]
	}
	if len(keys) <= size {
		return keys, nil, true
	}
	cut = keys[:size]
	return cut, Text("%s", sealToken(cut[size-1])), true
}

// PageOf cuts one page out of keys that come in ascending order, as Page does: from returns those after a key. No more of
// them are asked for than the page has, and one.
func PageOf(from func(after string) iter.Seq[string], token *string, size int) (cut []string, next *string, ok bool) {
	last := ""
	if t := Or(token, ""); t != "" {
		if last, ok = openToken(t); !ok {
			return nil, nil, false
		}
	}
	for key := range from(last) {
		if len(cut) == size {
			return cut, Text("%s", sealToken(cut[size-1])), true
		}
		cut = append(cut, key)
	}
	return cut, nil, true
}

// sealSize is how many bytes of a token tell that it was given out here. Without them, any text that happens to be Base64
// would name a key, and the answer would be an empty page where AWS refuses.
const sealSize = 6

func seal(key string) string {
	sum := sha256.Sum256([]byte("page after " + key))
	return string(sum[:sealSize])
}

func sealToken(key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(seal(key) + key))
}

// openToken returns the key in a token; ok is false when it was not given out here.
func openToken(token string) (key string, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(text) < sealSize {
		return "", false
	}
	key = string(text[sealSize:])
	return key, string(text[:sealSize]) == seal(key)
}

// Ascending is the order of keys that most lists have.
func Ascending(a, b string) int { return strings.Compare(a, b) }

// Descending is the order of lists that begin with the newest.
func Descending(a, b string) int { return strings.Compare(b, a) }
