# Installs the headers, the CMake package and the pkg-config file. Nothing in them depends on the architecture.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(tartan_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/tartan")
set(tartan_pkgconfig_dir "${CMAKE_INSTALL_DATADIR}/pkgconfig")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/tartan" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.hpp")
install(TARGETS tartan tartan_processes EXPORT tartanTargets INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT tartanTargets NAMESPACE tartan:: DESTINATION "${tartan_package_dir}")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/tartanConfig.cmake.in" "${PROJECT_BINARY_DIR}/tartanConfig.cmake"
                              INSTALL_DESTINATION "${tartan_package_dir}")
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/tartanConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/tartanConfig.cmake" "${PROJECT_BINARY_DIR}/tartanConfigVersion.cmake"
        DESTINATION "${tartan_package_dir}")

# The prefix is found from the file's own place, so that an installed tree may be moved.
file(RELATIVE_PATH tartan_pc_to_prefix "/${tartan_pkgconfig_dir}" "/")
string(REGEX REPLACE "/$" "" tartan_pc_to_prefix "${tartan_pc_to_prefix}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/tartan.pc.in" "${PROJECT_BINARY_DIR}/tartan.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/tartan.pc" DESTINATION "${tartan_pkgconfig_dir}")
