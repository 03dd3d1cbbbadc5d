// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/gunzip.h"

#include <errno.h>
#include <limits.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/cleanup.h"

/* For inflateInit2(): the largest window, and a gzip header. */
#define WINDOW_BITS_GZIP (15 + 16)

int gunzip(const void *data, size_t length, size_t limit, char **ret, size_t *ret_length)
{
	_cleanup_free_ char *text = NULL;
	z_stream stream = { .next_in = data, .avail_in = (uInt)length };
	int r;

	if (length > UINT_MAX || limit > UINT_MAX - 1)
		return -EINVAL;
	text = malloc(limit + 1);
	if (!text)
		return -ENOMEM;
	r = inflateInit2(&stream, WINDOW_BITS_GZIP);
	if (r != Z_OK)
		return r == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
	stream.next_out = (Bytef *)text;
	stream.avail_out = (uInt)limit;
	r = inflate(&stream, Z_FINISH);
	*ret_length = limit - stream.avail_out;
	inflateEnd(&stream);
	if (r == Z_MEM_ERROR)
		return -ENOMEM;
	if (r != Z_STREAM_END)
		return r == Z_BUF_ERROR && !stream.avail_out ? -EFBIG : -EBADMSG;
	text[*ret_length] = '\0';
	*ret = TAKE(text);
	return 0;
}
