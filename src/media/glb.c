/* glb.c - a triangle in one colour as GLB (glTF 2.0, ISO/IEC 12113). */
#include "media/internal.h"

#include <string.h>

#include "base/json.h"

/* Three corners of three numbers, as IEEE 754 has them: (0, 0, 0), (1, 0, 0), (0, 1, 0). */
static const uint32_t corners[9] = { 0, 0, 0, 0x3f800000, 0, 0, 0, 0x3f800000, 0 };

static void write_scene(struct buffer *out, const struct picture *picture, const char *comment)
{
	const unsigned char *colour = picture->colours[TONE_FIRST];

	buffer_text(out, "{\"asset\":{\"version\":\"2.0\"");
	if (comment != NULL) {
		buffer_text(out, ",\"extras\":{\"comment\":");
		json_write_text(out, comment);
		buffer_char(out, '}');
	}
	buffer_text(out, "},\"scene\":0,\"scenes\":[{\"nodes\":[0]}],\"nodes\":[{\"mesh\":0}],");
	buffer_text(out, "\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0},\"material\":0}]}],");
	buffer_text(
		out, "\"materials\":[{\"doubleSided\":true,\"pbrMetallicRoughness\":{\"metallicFactor\":0,\"baseColorFactor\":[");
	for (int i = 0; i < 3; i++) /* thousandths, in whole numbers: the same on every machine */
		buffer_format(out, "0.%03d,", colour[i] * 999 / 255);
	buffer_text(out, "1]}}],\"accessors\":[{\"bufferView\":0,\"componentType\":5126,\"count\":3,\"type\":\"VEC3\",");
	buffer_text(out, "\"min\":[0,0,0],\"max\":[1,1,0]}],\"bufferViews\":[{\"buffer\":0,\"byteLength\":36}],");
	buffer_text(out, "\"buffers\":[{\"byteLength\":36}]}");
}

bool glb_write(const struct media_wish *wish, struct buffer *out)
{
	struct picture picture;
	size_t start = out->length;

	picture_open(&picture, wish, 1);
	buffer_append(out, "glTF", 4);
	media_u32_low(out, 2);
	media_u32_low(out, 0);
	media_u32_low(out, 0);
	buffer_append(out, "JSON", 4);
	write_scene(out, &picture, wish->comment);
	while ((out->length - start) % 4 != 0 && !out->failed)
		buffer_char(out, ' ');
	media_set_u32_low(out, start + 12, (uint32_t)(out->length - start - 20));
	media_u32_low(out, sizeof corners);
	buffer_append(out, "BIN", 4);
	for (size_t i = 0; i < sizeof corners / sizeof *corners; i++)
		media_u32_low(out, corners[i]);
	media_set_u32_low(out, start + 8, (uint32_t)(out->length - start));
	return !out->failed;
}
