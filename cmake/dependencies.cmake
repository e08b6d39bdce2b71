# What the library stands on. Each is found once, here; targets link to the names below.
#   CBLAS::CBLAS, cJSON::cJSON, utf8proc::utf8proc   linked
#   Random123::Random123                             headers, when the library is built
#   Threads::Threads                                 linked
#   OpenMP::OpenMP_C                                 linked where there is one
find_package(CBLAS MODULE REQUIRED)
find_package(cJSON MODULE REQUIRED)
find_package(utf8proc MODULE REQUIRED)
find_package(Random123 MODULE REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenMP COMPONENTS C)
