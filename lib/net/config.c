// SPDX-License-Identifier: GPL-2.0-only
/* Checks of declared network devices, and their JSON. */
#include <net/ethernet.h>
#include <netinet/ether.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "net/config.h"

static const char *mac_of(const struct ktstr_net_config *config)
{
	return config->mac ? config->mac : KTSTR_NET_DEFAULT_MAC;
}

void ktstr_mac_format(const unsigned char mac[KTSTR_MAC_BYTES], char text[KTSTR_MAC_TEXT_BYTES])
{
	snprintf(text, KTSTR_MAC_TEXT_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

struct ktstr_error *ktstr_mac_parse(const char *text, unsigned char mac[KTSTR_MAC_BYTES])
{
	static const unsigned char zero[KTSTR_MAC_BYTES];
	struct ether_addr parsed;
	char plain[KTSTR_MAC_TEXT_BYTES];
	bool known;

	if (!text)
		text = KTSTR_NET_DEFAULT_MAC;
	/* The C library also takes single digits and ignores what follows. */
	known = ether_aton_r(text, &parsed);
	if (known)
		ktstr_mac_format(parsed.ether_addr_octet, plain);
	if (!known || strcasecmp(plain, text))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "\"%s\" is no MAC address: six pairs of hexadecimal digits, like " KTSTR_NET_DEFAULT_MAC, text);
	if (parsed.ether_addr_octet[0] & 1)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s is a multicast address, which no device can have: the first byte must be even", text);
	if (!memcmp(parsed.ether_addr_octet, zero, sizeof(zero)))
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s is no device's address; leave it out for " KTSTR_NET_DEFAULT_MAC, text);
	memcpy(mac, parsed.ether_addr_octet, KTSTR_MAC_BYTES);
	return NULL;
}

static struct ktstr_error *check_queues(unsigned int pairs)
{
	if (pairs > KTSTR_NET_MAX_QUEUE_PAIRS)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".queue_pairs is %u, outside 1..%d", pairs, KTSTR_NET_MAX_QUEUE_PAIRS);
	if (pairs > 1)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       ".queue_pairs is %u: QEMU's dgram backend, the wire that echoes, has one pair; leave it at 1",
				       pairs);
	return NULL;
}

static struct ktstr_error *check_device(const struct ktstr_networks *networks, size_t index)
{
	unsigned char mac[KTSTR_MAC_BYTES], earlier[KTSTR_MAC_BYTES];

	KTSTR_TRY(check_queues(networks->items[index].queue_pairs));
	KTSTR_TRY_WRAP(ktstr_mac_parse(networks->items[index].mac, mac), ".mac");
	for (size_t i = 0; i < index; i++) {
		KTSTR_TRY(ktstr_mac_parse(networks->items[i].mac, earlier));
		if (!memcmp(mac, earlier, sizeof(mac)))
			return ktstr_error_new(KTSTR_ERR_INVALID, ".mac %s%s is that of [%zu] already: give each device its own",
					       mac_of(&networks->items[index]), networks->items[index].mac ? "" : " (the default)", i);
	}
	return NULL;
}

struct ktstr_error *ktstr_networks_validate(const struct ktstr_networks *networks)
{
	if (networks->count > KTSTR_NETWORKS_MAX)
		return ktstr_error_new(KTSTR_ERR_INVALID, "%zu devices, at most %d have a place in every machine", networks->count,
				       KTSTR_NETWORKS_MAX);
	for (size_t i = 0; i < networks->count; i++)
		KTSTR_TRY_WRAP(check_device(networks, i), "[%zu]", i);
	return NULL;
}

json_t *ktstr_networks_to_json(const struct ktstr_networks *networks)
{
	json_t *list = json_array();

	for (size_t i = 0; i < networks->count; i++) {
		const struct ktstr_net_config *config = &networks->items[i];

		json_array_append_new(list, json_pack("{ss si}", "mac", mac_of(config), "queue_pairs",
						      (int)(config->queue_pairs ? config->queue_pairs : 1)));
	}
	return list;
}

struct ktstr_error *ktstr_networks_from_json(const json_t *json, struct ktstr_networks *networks)
{
	size_t count = json_array_size(json), i;
	struct ktstr_net_config *items = ktstr_xcalloc(count + 1, sizeof(*items));
	const json_t *item;

	*networks = (struct ktstr_networks){ items, count };
	json_array_foreach(json, i, item) {
		items[i].mac = ktstr_xstrdup(json_string_value(json_object_get(item, "mac")) ?: "");
		items[i].queue_pairs = (unsigned int)json_integer_value(json_object_get(item, "queue_pairs"));
	}
	KTSTR_TRY_WRAP(ktstr_networks_validate(networks), "networks");
	return NULL;
}

void ktstr_networks_deinit(struct ktstr_networks *networks)
{
	for (size_t i = 0; i < networks->count; i++)
		free((char *)networks->items[i].mac);
	free((struct ktstr_net_config *)networks->items);
	*networks = (struct ktstr_networks){ 0 };
}
