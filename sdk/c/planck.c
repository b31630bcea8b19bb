// SPDX-License-Identifier: Apache-2.0
// The C guest library of Planck: the one file to compile beside a service. Its parts are included
// rather than compiled one by one, so that nothing of them but the functions of planck.h can meet a
// name of the service, and calls between them are inlined.
#include "planck.h"

// clang-format off: each part stands on those before it.
#include "planck/host.h"
#include "planck/memory.h"
#include "planck/text.h"
#include "planck/number.h"
#include "planck/decode.h"
#include "planck/bson.h"
#include "planck/builder.h"
#include "planck/json_parse.h"
#include "planck/output.h"
#include "planck/json_output.h"
#include "planck/key.h"
#include "planck/request.h"
#include "planck/response.h"
#include "planck/packet.h"
#include "planck/database.h"
#include "planck/query.h"
#include "planck/service.h"
// clang-format on
