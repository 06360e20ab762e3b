/* openai.h - the door for programs that were made for OpenAI's images and videos: /v1 and /live/v1 (docs/openai.md). */
#pragma once

#include "api/door.h"

extern const struct door openai_door;
