// The live topology as a document.
#pragma once

#include "api/cli/export_choice.hpp"
#include "api/cli/export_document.hpp"
#include "api/cli/session.hpp"

namespace viaduct::api::cli {

Result<ExportedDocument> export_topology(Session& session, const ExportChoice& choice, Told told);

}  // namespace viaduct::api::cli
