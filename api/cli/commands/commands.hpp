// Every group of commands, one function a file.
#pragma once

#include "api/cli/tree.hpp"

namespace viaduct::api::cli {

void add_object_commands(Tree& tree);         // bridge|router|… create, show, list, set, delete; port link, unlink
void add_binding_commands(Tree& tree);        // bind, unbind
void add_tunnel_zone_commands(Tree& tree);    // tunnel-zone add-host, remove-host
void add_interface_command(Tree& tree);       // host interfaces
void add_status_commands(Tree& tree);         // status, version, wait, log
void add_bgp_command(Tree& tree);             // bgp
void add_flow_commands(Tree& tree);           // flows, state
void add_conntrack_commands(Tree& tree);      // conntrack list, show, flush, stats
void add_event_command(Tree& tree);           // events
void add_trace_command(Tree& tree);           // trace
void add_why_command(Tree& tree);             // why
void add_top_command(Tree& tree);             // top
void add_apply_command(Tree& tree);           // apply
void add_export_command(Tree& tree);          // export
void add_diff_command(Tree& tree);            // diff
void add_doctor_command(Tree& tree);          // doctor
void add_support_bundle_command(Tree& tree);  // support-bundle
void add_completion_commands(Tree& tree);     // completion, help, __complete
void add_certs_commands(Tree& tree);          // certs init, host, show, verify
void add_rest_commands(Tree& tree);           // rest passwd
void add_midonet_cli_command(Tree& tree);     // midonet-cli

}  // namespace viaduct::api::cli
