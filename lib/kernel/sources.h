/* SPDX-License-Identifier: GPL-2.0-only */
/* Which Debian mirror this machine uses and which key it trusts for it, read from its apt sources.
 */
#ifndef KTSTR_KERNEL_SOURCES_H
#define KTSTR_KERNEL_SOURCES_H

#include "ktstr/error.h"

struct ktstr_apt_source {
	char *uri;
	char *signed_by; /* value as written, continuation lines included; NULL = apt's own keyring
			  */
	char *options; /* further deb822 lines that carry the owner's policy; "" when there are none
			*/
	char *origin;  /* file it was found in, for messages */
	int score;     /* how surely it is Debian's main archive; 0 = none found */
};

/*
 * The best entry of <etc_apt>/sources.list and sources.list.d. KTSTR_ERR_NOT_FOUND says what to add
 * when there is none.
 */
struct ktstr_error *ktstr_apt_find_source(const char *etc_apt,
					  struct ktstr_apt_source *source) KTSTR_CHECKED;
void ktstr_apt_source_deinit(struct ktstr_apt_source *source);

#endif
