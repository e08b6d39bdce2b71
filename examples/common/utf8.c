/* UTF-8. See utf8.h. */
#include "utf8.h"

int utf8_length(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned char least = 0x80, most = 0xBF;
    int length;

    if (at[0] < 0x80) return 1;
    if (at[0] >= 0xC2 && at[0] <= 0xDF)
        length = 2;
    else if (at[0] >= 0xE0 && at[0] <= 0xEF)
        length = 3;
    else if (at[0] >= 0xF0 && at[0] <= 0xF4)
        length = 4;
    else
        return 0;
    if (at[0] == 0xE0) least = 0xA0;
    if (at[0] == 0xED) most = 0x9F;
    if (at[0] == 0xF0) least = 0x90;
    if (at[0] == 0xF4) most = 0x8F;
    if (at[1] < least || at[1] > most) return 0;
    for (int i = 2; i < length; i++)
        if (at[i] < 0x80 || at[i] > 0xBF) return 0;
    return length;
}
