/* manifest_parts.h - what the files of manifest.h share. For manifest*.c only.
 *
 * Each reads fields of the provider's table into reading->manifest and complains of what is wrong there. May raise. [-0, +0, m] */
#pragma once

#include "script/manifest.h"
#include "script/reading.h"

/* kind, kinds and feature_flag; and whether the modes name no other kinds. */
void manifest_read_kinds(struct reading *reading);
void manifest_check_modes(struct reading *reading);

/* hosts and shared_hosts; the host of base_url, which was read before, is the first, with its port if it names one. */
void manifest_read_hosts(struct reading *reading);

/* outputs: where a vendor's outputs lie beside its hosts, or anywhere, where the user's own worker puts them. */
void manifest_read_outputs(struct reading *reading);

/* auth and auth_forms. What they name is checked when the credentials were read. */
void manifest_read_auth(struct reading *reading);
void manifest_check_auth(struct reading *reading);
void manifest_free_auth(struct manifest *manifest);

void manifest_read_credentials(struct reading *reading);
void manifest_free_credentials(struct manifest *manifest);

/* inputs; kind was read before. */
void manifest_read_inputs(struct reading *reading);
void manifest_free_inputs(struct manifest *manifest);

/* directory; functions were read before. */
void manifest_read_directory(struct reading *reading);
void manifest_free_directory(struct manifest *manifest);

/* webhook_signature; base_url and functions were read before. */
void manifest_read_signature(struct reading *reading);
