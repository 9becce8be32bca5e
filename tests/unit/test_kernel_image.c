// SPDX-License-Identifier: GPL-2.0-only
/* Boot headers of images, hostile ones too, and the kernel that they pack. */
#include <stdlib.h>

#include "base/str.h"
#include "kernel_fixture.h"

static void boot_header_is_read(void **state)
{
	_cleanup_(ktstr_bzimage_deinit) struct ktstr_bzimage header = { 0 };
	_cleanup_free_ unsigned char *image = make_image();

	(void)state;
	assert_ok(ktstr_bzimage_parse(image, IMAGE_BYTES, "image", &header));
	assert_string_equal(header.release, "7.3.4+deb13-cloud-amd64");
	assert_int_equal(header.payload_offset, SETUP_BYTES + 256);
	assert_int_equal(header.payload_length, 1024);
}

static void truncated_images_are_refused(void **state)
{
	_cleanup_free_ unsigned char *image = make_image();

	(void)state;
	/* Each length on its own allocation: the sanitizer then sees a read behind the end. */
	for (size_t length = 0; length < SETUP_BYTES + 4096; length += 37) {
		_cleanup_free_ unsigned char *part = ktstr_xmalloc(length + 1);
		struct ktstr_bzimage header = { 0 };
		struct ktstr_error *error;

		part = realloc(part, length ? length : 1);
		memcpy(part, image, length);
		error = ktstr_bzimage_parse(part, length, "part", &header);
		if (!error)
			fail_msg("%zu bytes pass for an image", length);
		ktstr_error_free(error);
	}
}

static void hostile_headers_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
		int bytes;
		const char *says;
	} cases[] = {
		{ 0x1f4, 0xffffffff, 4, "truncated" },
		{ 0x1f1, 0xff, 1, "truncated" },
		{ 0x20e, 0xffff, 2, "outside" },
		{ 0x20e, 0, 2, "outside" },
		{ 0x248, 0xffffffff, 4, "beyond" },
		{ 0x248, IMAGE_BYTES, 4, "beyond" },
		{ 0x24c, 0xffffffff, 4, "beyond" },
		{ RELEASE_AT, 0, 1, "no kernel release" },
		{ RELEASE_AT, '/', 1, "no kernel release" },
		{ RELEASE_AT, '.', 1, "no kernel release" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ unsigned char *image = make_image();
		struct ktstr_bzimage header = { 0 };

		if (cases[i].bytes == 1)
			image[cases[i].at] = (unsigned char)cases[i].value;
		else if (cases[i].bytes == 2)
			put16(image, cases[i].at, (uint16_t)cases[i].value);
		else
			put32(image, cases[i].at, cases[i].value);
		assert_fails(ktstr_bzimage_parse(image, IMAGE_BYTES, "image", &header),
			     KTSTR_ERR_CORRUPT, cases[i].says);
	}
}

static void payload_must_be_a_kernel(void **state)
{
	_cleanup_free_ unsigned char *image = make_image();
	_cleanup_free_ char *vmlinux = NULL;
	size_t length;

	(void)state;
	assert_fails(ktstr_bzimage_vmlinux(image, IMAGE_BYTES, "image", &vmlinux, &length),
		     KTSTR_ERR_CORRUPT, "image");
	/* A zstd magic with nothing sensible behind it. */
	put32(image, SETUP_BYTES + 256, 0xfd2fb528);
	assert_fails(ktstr_bzimage_vmlinux(image, IMAGE_BYTES, "image", &vmlinux, &length),
		     KTSTR_ERR_CORRUPT, "image");
	assert_null(vmlinux);
}

static void a_bomb_is_stopped(void **state)
{
	/* Uncompressed data takes the same road, so it serves to reach the limit. */
	_cleanup_free_ char *text = ktstr_xcalloc(1, 1 << 20), *out = NULL;
	size_t length;

	(void)state;
	assert_fails(ktstr_decompress(text, 1 << 20, 1 << 16, "bomb", &out, &length),
		     KTSTR_ERR_CORRUPT, "more than 65536 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boot_header_is_read),
		cmocka_unit_test(truncated_images_are_refused),
		cmocka_unit_test(hostile_headers_are_refused),
		cmocka_unit_test(payload_must_be_a_kernel),
		cmocka_unit_test(a_bomb_is_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
