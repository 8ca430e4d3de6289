# SPDX-License-Identifier: Apache-2.0
include(CMakePackageConfigHelpers)
set(JM_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/joulemap)

install(TARGETS joulemap RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS joulemap_shared joulemap_headers EXPORT joulemap
	LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
	INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET joulemap_ort)
	install(TARGETS joulemap_ort LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/joulemap)
endif()
install(DIRECTORY include/joulemap DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY catalog DESTINATION ${CMAKE_INSTALL_DATADIR}/joulemap
	FILES_MATCHING PATTERN "*.model.gz")
install(FILES man/joulemap.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# ---- For programs that use the library --------------------------------------
# The small letters let find_package() be told Joulemap and joulemap alike.
install(EXPORT joulemap NAMESPACE joulemap:: DESTINATION ${JM_CMAKE_DIR}
	FILE joulemap-targets.cmake)
configure_package_config_file(cmake/joulemap-config.cmake.in joulemap-config.cmake
	INSTALL_DESTINATION ${JM_CMAKE_DIR}
	NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(joulemap-config-version.cmake
	COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/joulemap-config.cmake
	${CMAKE_CURRENT_BINARY_DIR}/joulemap-config-version.cmake
	DESTINATION ${JM_CMAKE_DIR})

# Wherever the whole is moved to, unless its folders were given as absolute paths.
set(JM_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
set(JM_PC_LIBDIR ${CMAKE_INSTALL_FULL_LIBDIR})
set(JM_PC_INCLUDEDIR ${CMAKE_INSTALL_FULL_INCLUDEDIR})
if(NOT IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR} AND NOT IS_ABSOLUTE ${CMAKE_INSTALL_INCLUDEDIR})
	file(RELATIVE_PATH JM_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
	string(REGEX REPLACE "/$" "" JM_PC_PREFIX "\${pcfiledir}/${JM_PC_PREFIX}")
	set(JM_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
	set(JM_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(cmake/joulemap.pc.in joulemap.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/joulemap.pc
	DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
