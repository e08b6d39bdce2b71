/* An image file as a data URI (RFC 2397), to stand inside an SVG picture. */
#ifndef CAPTIONING_IMAGE_H
#define CAPTIONING_IMAGE_H

/* Finds the file for a name in a folder: called as the name is, or with .svg, .png, .jpg, .jpeg or
 * .webp behind. *uri is the caller's to free; NULL after OUTCOME_FAILED and a message. */
int image_read(const char *folder, const char *name, char **uri);

#endif
