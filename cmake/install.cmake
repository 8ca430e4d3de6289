# SPDX-License-Identifier: Apache-2.0
install(TARGETS joulemap RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS joulemap_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET joulemap_ort)
	install(TARGETS joulemap_ort LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/joulemap)
endif()
install(DIRECTORY include/joulemap DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY catalog DESTINATION ${CMAKE_INSTALL_DATADIR}/joulemap
	FILES_MATCHING PATTERN "*.model.gz")
configure_file(cmake/joulemap.pc.in joulemap.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/joulemap.pc
	DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES man/joulemap.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
