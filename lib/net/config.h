/* SPDX-License-Identifier: GPL-2.0-only */
/* Declared network devices: what can be had of them, and their way from the test program to the runner. */
#ifndef KTSTR_NET_CONFIG_H
#define KTSTR_NET_CONFIG_H

#include <jansson.h>

#include "ktstr/network.h"

enum { KTSTR_MAC_BYTES = 6, KTSTR_MAC_TEXT_BYTES = 18 };

/* "02:00:00:00:00:01" in its six bytes; NULL is KTSTR_NET_DEFAULT_MAC. KTSTR_ERR_INVALID says what is wrong with it. */
struct ktstr_error *ktstr_mac_parse(const char *text, unsigned char mac[KTSTR_MAC_BYTES]) KTSTR_CHECKED;
void ktstr_mac_format(const unsigned char mac[KTSTR_MAC_BYTES], char text[KTSTR_MAC_TEXT_BYTES]);

/* KTSTR_ERR_INVALID names the device ("[1]: .mac ...") and the remedy. */
struct ktstr_error *ktstr_networks_validate(const struct ktstr_networks *networks) KTSTR_CHECKED;

/* New reference; defaults filled in. Only of what has been validated. */
json_t *ktstr_networks_to_json(const struct ktstr_networks *networks);
/* Validates again: the program that wrote it may be of another version. Deinit it either way. */
struct ktstr_error *ktstr_networks_from_json(const json_t *json, struct ktstr_networks *networks) KTSTR_CHECKED;
void ktstr_networks_deinit(struct ktstr_networks *networks);

#endif
