/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the host puts a test's rt-app file. */
#ifndef KTSTR_RTAPP_GUEST_FILE_H
#define KTSTR_RTAPP_GUEST_FILE_H

#define KTSTR_RTAPP_GUEST_FILE "/run/ktstr/rt-app.json"

#endif
