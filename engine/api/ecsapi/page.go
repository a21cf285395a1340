package ecsapi

import (
	"iter"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
)

// largestPage is how many things most lists tell at once. [API reference: ListServices, maxResults]
const largestPage = 100

// page cuts one page of at most size keys (largestPage when size is 0) in ascending order.
func page(keys []string, token *string, size int32) (cut []string, next *string, err error) {
	return pageInOrder(keys, awsdoc.Ascending, token, size, largestPage)
}

// pageOf cuts one page of at most size keys (largestPage when size is 0) out of keys that come in ascending order.
func pageOf(from func(after string) iter.Seq[string], token *string, size int32) (cut []string, next *string, err error) {
	size, err = pageSize(size, largestPage)
	if err != nil {
		return nil, nil, err
	}
	cut, next, ok := awsdoc.PageOf(from, token, int(size))
	if !ok {
		return nil, nil, invalid("Invalid token")
	}
	return cut, next, nil
}

func pageSize(size, largest int32) (int32, error) {
	if size == 0 {
		size = largest
	}
	if size < 1 || size > largest {
		return 0, invalid("maxResults must be between 1 and %d.", largest)
	}
	return size, nil
}

func pageInOrder(keys []string, order func(a, b string) int, token *string, size, largest int32) (cut []string, next *string, err error) {
	size, err = pageSize(size, largest)
	if err != nil {
		return nil, nil, err
	}
	cut, next, ok := awsdoc.Page(keys, order, token, int(size))
	if !ok {
		return nil, nil, invalid("Invalid token")
	}
	return cut, next, nil
}
