// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli, reflected, polynomial 0x1EDC6F41, as in RFC 3720 appendix B.4).
// Uses the SSE4.2 instruction where the processor has it. Any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

// `crc` is 0 to begin, or the result of an earlier call to continue. crc32c(0,"123456789",9) is
// 0xE3069283.
uint32_t crc32c(uint32_t crc, const void *data, size_t size);
// The same by tables, for processors without the instruction; public so that tests can compare.
uint32_t crc32c_software(uint32_t crc, const void *data, size_t size);
