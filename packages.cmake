# Debian packages, by CPack: `./bootstrap package`. Four of one version: viaduct-common (the daemon), viaduct-agent and
# viaduct-cluster (a unit and a configuration for each role), viaduct-cli (the tool). What goes into which is said where it is
# installed, by COMPONENT; scripts and texts of the daemon's packages lie in actors/daemons/packaging.
set(VIADUCT_REVISION "1" CACHE STRING "Debian revision of the packages")
set(VIADUCT_MAINTAINER "Viaduct maintainers <maintainers@viaduct.invalid>" CACHE STRING "Maintainer of the packages")
set(VIADUCT_HOMEPAGE "" CACHE STRING "Homepage that the packages name; empty: none")
set(VIADUCT_DEBIAN_VERSION "${PROJECT_VERSION}-${VIADUCT_REVISION}")
set(PACKAGING ${CMAKE_SOURCE_DIR}/actors/daemons/packaging)
set(PACKAGED ${CMAKE_BINARY_DIR}/packaging)  # what is made for them

# What runs as root has its tables of functions resolved and read-only from the start.
foreach(program viaduct viaductd)
  target_link_options(${program} PRIVATE -Wl,-z,relro -Wl,-z,now)
endforeach()

# --- texts ----------------------------------------------------------------------------------------
# The day of the last commit, so that the same tree makes the same packages.
execute_process(COMMAND git log -1 --format=%cD WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                OUTPUT_VARIABLE VIADUCT_CHANGELOG_DATE OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT VIADUCT_CHANGELOG_DATE)
  execute_process(COMMAND date -R OUTPUT_VARIABLE VIADUCT_CHANGELOG_DATE OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
configure_file(${PACKAGING}/changelog.in ${PACKAGED}/changelog @ONLY)

# viaduct_packed(OUTPUT SOURCE): SOURCE, compressed as Debian asks of documents.
function(viaduct_packed output source)
  add_custom_command(OUTPUT ${PACKAGED}/${output} COMMAND gzip -9nc ${source} > ${PACKAGED}/${output} DEPENDS ${source} VERBATIM)
  set_property(GLOBAL APPEND PROPERTY VIADUCT_PACKAGED ${PACKAGED}/${output})
endfunction()
viaduct_packed(changelog.Debian.gz ${PACKAGED}/changelog)
viaduct_packed(viaductd.8.gz ${CMAKE_SOURCE_DIR}/actors/daemons/viaductd.8)
viaduct_packed(viaduct.1.gz ${CMAKE_SOURCE_DIR}/api/cli/viaduct.1)
viaduct_packed(viaduct-midonet-cli.1.gz ${CMAKE_SOURCE_DIR}/api/cli/viaduct-midonet-cli.1)
foreach(shell bash zsh fish)
  add_custom_command(OUTPUT ${PACKAGED}/viaduct.${shell} COMMAND viaduct completion ${shell} > ${PACKAGED}/viaduct.${shell}
                     DEPENDS viaduct VERBATIM)
  set_property(GLOBAL APPEND PROPERTY VIADUCT_PACKAGED ${PACKAGED}/viaduct.${shell})
endforeach()
get_property(VIADUCT_PACKAGED GLOBAL PROPERTY VIADUCT_PACKAGED)
add_custom_target(package_contents DEPENDS viaduct viaductd ${VIADUCT_PACKAGED})

# --- what operators load -----------------------------------------------------------------------
file(GLOB VIADUCT_RULES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/observability/prometheus/*.rules.yml)
file(GLOB VIADUCT_DASHBOARDS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/observability/grafana/*.json)
install(FILES ${VIADUCT_RULES} observability/prometheus/prometheus.yml observability/prometheus/runbooks.md
        DESTINATION share/viaduct/prometheus COMPONENT common)
install(FILES ${VIADUCT_DASHBOARDS} DESTINATION share/viaduct/grafana COMPONENT common)
install(DIRECTORY observability/grafana/provisioning DESTINATION share/viaduct/grafana COMPONENT common)

# --- what only packages hold ----------------------------------------------------------------------
# EXCLUDE_FROM_ALL: cmake --install puts the programs in place, and configures nobody's machine.
foreach(component common agent cluster cli)
  install(FILES ${PACKAGING}/copyright ${PACKAGED}/changelog.Debian.gz DESTINATION share/doc/viaduct-${component}
          COMPONENT ${component} EXCLUDE_FROM_ALL)
  install(FILES ${PACKAGING}/lintian DESTINATION share/lintian/overrides RENAME viaduct-${component}
          COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()
install(FILES ${PACKAGED}/viaductd.8.gz DESTINATION share/man/man8 COMPONENT common EXCLUDE_FROM_ALL)
install(FILES ${PACKAGED}/viaduct.1.gz ${PACKAGED}/viaduct-midonet-cli.1.gz DESTINATION share/man/man1 COMPONENT cli EXCLUDE_FROM_ALL)
install(FILES actors/daemons/viaductd.toml DESTINATION /etc/viaduct COMPONENT agent EXCLUDE_FROM_ALL)
install(FILES ${PACKAGING}/cluster.toml DESTINATION /etc/viaduct COMPONENT cluster EXCLUDE_FROM_ALL)
install(DIRECTORY DESTINATION /etc/viaduct/cluster COMPONENT cluster EXCLUDE_FROM_ALL)
install(FILES ${PACKAGING}/viaduct-cluster.service DESTINATION lib/systemd/system COMPONENT cluster EXCLUDE_FROM_ALL)
install(FILES ${PACKAGED}/viaduct.bash DESTINATION share/bash-completion/completions RENAME viaduct
        COMPONENT cli EXCLUDE_FROM_ALL)
install(FILES ${PACKAGED}/viaduct.zsh DESTINATION share/zsh/vendor-completions RENAME _viaduct COMPONENT cli EXCLUDE_FROM_ALL)
install(FILES ${PACKAGED}/viaduct.fish DESTINATION share/fish/vendor_completions.d COMPONENT cli EXCLUDE_FROM_ALL)

# --- maintainer scripts ---------------------------------------------------------------------------
# viaduct_role(COMPONENT UNIT DIRECTORY CONFFILE): those of a role; DIRECTORY is its own below /var/lib, /var/log and /run.
function(viaduct_role component UNIT DIRECTORY conffile)
  set(PACKAGE viaduct-${component})
  configure_file(${PACKAGING}/role.postinst.in ${PACKAGED}/${component}/postinst @ONLY)
  configure_file(${PACKAGING}/role.postrm.in ${PACKAGED}/${component}/postrm @ONLY)
  configure_file(${PACKAGING}/${component}.prerm ${PACKAGED}/${component}/prerm COPYONLY)
  file(WRITE ${PACKAGED}/${component}/conffiles "${conffile}\n")
endfunction()
viaduct_role(agent viaductd.service viaduct /etc/viaduct/viaductd.toml)
viaduct_role(cluster viaduct-cluster.service viaduct-cluster /etc/viaduct/cluster.toml)
configure_file(${PACKAGING}/common.postinst ${PACKAGED}/common/postinst COPYONLY)
set(CPACK_DEBIAN_COMMON_PACKAGE_CONTROL_EXTRA ${PACKAGED}/common/postinst)
foreach(role AGENT CLUSTER)
  string(TOLOWER ${role} component)
  foreach(file postinst prerm postrm conffiles)
    list(APPEND CPACK_DEBIAN_${role}_PACKAGE_CONTROL_EXTRA ${PACKAGED}/${component}/${file})
  endforeach()
endforeach()

# --- the packages ---------------------------------------------------------------------------------
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME viaduct)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_PACKAGE_CONTACT ${VIADUCT_MAINTAINER})
set(CPACK_PACKAGE_HOMEPAGE_URL ${VIADUCT_HOMEPAGE})
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_SOURCE_DIR}/build/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # package_contents is built before, and nothing else is needed
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL common agent cluster cli)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SOURCE viaduct)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${VIADUCT_REVISION})
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_COMMON_PACKAGE_NAME viaduct-common)
set(CPACK_DEBIAN_COMMON_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMMON_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_COMMON_DESCRIPTION "network virtualization: the daemon
Viaduct makes packets behave as if the virtual network existed that an
operator asked for: bridges, routers, security rules, NAT and load balancers,
over the hosts of a private cloud.

This package has the daemon viaductd, which viaduct-agent and viaduct-cluster
run, and for those who watch it rules and runbooks for Prometheus and
dashboards for Grafana.")

set(CPACK_DEBIAN_AGENT_PACKAGE_NAME viaduct-agent)
set(CPACK_DEBIAN_AGENT_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_AGENT_PACKAGE_DEPENDS "viaduct-common (= ${VIADUCT_DEBIAN_VERSION})")
set(CPACK_DEBIAN_AGENT_PACKAGE_RECOMMENDS "frr, viaduct-cli")
set(CPACK_DEBIAN_AGENT_DESCRIPTION "network virtualization: virtual networks on this host
Viaduct makes packets behave as if the virtual network existed that an
operator asked for.

This package runs viaductd on a host with virtual machines or containers, or
on a gateway. As installed it is a complete Viaduct on one host; its
configuration joins it to a cluster. With frr it speaks BGP.")

set(CPACK_DEBIAN_CLUSTER_PACKAGE_NAME viaduct-cluster)
set(CPACK_DEBIAN_CLUSTER_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_CLUSTER_PACKAGE_DEPENDS "viaduct-common (= ${VIADUCT_DEBIAN_VERSION})")
set(CPACK_DEBIAN_CLUSTER_PACKAGE_RECOMMENDS "viaduct-cli")
set(CPACK_DEBIAN_CLUSTER_PACKAGE_SUGGESTS "etcd-server")
set(CPACK_DEBIAN_CLUSTER_DESCRIPTION "network virtualization: cluster node
Viaduct makes packets behave as if the virtual network existed that an
operator asked for.

This package runs viaductd as a node that holds what operators asked for, in
a store of its own or in etcd, and serves the agents of other hosts and the
REST API. It starts when the node has been given a certificate.")

set(CPACK_DEBIAN_CLI_PACKAGE_NAME viaduct-cli)
set(CPACK_DEBIAN_CLI_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_CLI_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_CLI_PACKAGE_SUGGESTS "viaduct-agent")
set(CPACK_DEBIAN_CLI_DESCRIPTION "network virtualization: the tool
Viaduct makes packets behave as if the virtual network existed that an
operator asked for.

This package has the tool viaduct, by which operators make and inspect
virtual networks, trace packets through them, and look for what is wrong with
a host; with completion for bash, zsh and fish.")
include(CPack)
