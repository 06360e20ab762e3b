/* postgres_library.h - libpq, loaded when a PostgreSQL URL is named, as net/curl.h does it for libcurl and for the same reason. This header stands in
 * for <libpq-fe.h>: the same names, reached through a table that postgres_load() fills. */
#pragma once

#include <stdbool.h>

#include <libpq-fe.h>

#define POSTGRES_FUNCTIONS(F)                                                                                                    \
	F(PQconninfoParse)                                                                                                       \
	F(PQfreemem)                                                                                                             \
	F(PQconninfoFree)                                                                                                        \
	F(PQconnectdbParams)                                                                                                     \
	F(PQfinish)                                                                                                              \
	F(PQstatus)                                                                                                              \
	F(PQtransactionStatus)                                                                                                   \
	F(PQparameterStatus)                                                                                                     \
	F(PQserverVersion)                                                                                                       \
	F(PQerrorMessage)                                                                                                        \
	F(PQsocket)                                                                                                              \
	F(PQsetNoticeProcessor)                                                                                                  \
	F(PQsetnonblocking)                                                                                                      \
	F(PQenterPipelineMode)                                                                                                   \
	F(PQexitPipelineMode)                                                                                                    \
	F(PQpipelineSync)                                                                                                        \
	F(PQsendQuery)                                                                                                           \
	F(PQsendQueryParams)                                                                                                     \
	F(PQsendPrepare)                                                                                                         \
	F(PQsendQueryPrepared)                                                                                                   \
	F(PQflush)                                                                                                               \
	F(PQisBusy)                                                                                                              \
	F(PQconsumeInput)                                                                                                        \
	F(PQgetResult)                                                                                                           \
	F(PQresultStatus)                                                                                                        \
	F(PQresultErrorField)                                                                                                    \
	F(PQclear)                                                                                                               \
	F(PQntuples)                                                                                                             \
	F(PQnfields)                                                                                                             \
	F(PQftype)                                                                                                               \
	F(PQgetvalue)                                                                                                            \
	F(PQgetlength)                                                                                                           \
	F(PQgetisnull)                                                                                                           \
	F(PQcmdTuples)

#define POSTGRES_MEMBER(name) __typeof__(name) *name##_;
struct postgres_table {
	POSTGRES_FUNCTIONS(POSTGRES_MEMBER)
};
#undef POSTGRES_MEMBER

extern struct postgres_table postgres_table;

/* Loads libpq; later calls do nothing. False when it is not installed. Before any other name of this header is used; any thread. */
bool postgres_load(void);

#ifndef POSTGRES_TABLE_ITSELF
#define PQconninfoParse postgres_table.PQconninfoParse_
#define PQfreemem postgres_table.PQfreemem_
#define PQconninfoFree postgres_table.PQconninfoFree_
#define PQconnectdbParams postgres_table.PQconnectdbParams_
#define PQfinish postgres_table.PQfinish_
#define PQstatus postgres_table.PQstatus_
#define PQtransactionStatus postgres_table.PQtransactionStatus_
#define PQparameterStatus postgres_table.PQparameterStatus_
#define PQserverVersion postgres_table.PQserverVersion_
#define PQerrorMessage postgres_table.PQerrorMessage_
#define PQsocket postgres_table.PQsocket_
#define PQsetNoticeProcessor postgres_table.PQsetNoticeProcessor_
#define PQsetnonblocking postgres_table.PQsetnonblocking_
#define PQenterPipelineMode postgres_table.PQenterPipelineMode_
#define PQexitPipelineMode postgres_table.PQexitPipelineMode_
#define PQpipelineSync postgres_table.PQpipelineSync_
#define PQsendQuery postgres_table.PQsendQuery_
#define PQsendQueryParams postgres_table.PQsendQueryParams_
#define PQsendPrepare postgres_table.PQsendPrepare_
#define PQsendQueryPrepared postgres_table.PQsendQueryPrepared_
#define PQflush postgres_table.PQflush_
#define PQisBusy postgres_table.PQisBusy_
#define PQconsumeInput postgres_table.PQconsumeInput_
#define PQgetResult postgres_table.PQgetResult_
#define PQresultStatus postgres_table.PQresultStatus_
#define PQresultErrorField postgres_table.PQresultErrorField_
#define PQclear postgres_table.PQclear_
#define PQntuples postgres_table.PQntuples_
#define PQnfields postgres_table.PQnfields_
#define PQftype postgres_table.PQftype_
#define PQgetvalue postgres_table.PQgetvalue_
#define PQgetlength postgres_table.PQgetlength_
#define PQgetisnull postgres_table.PQgetisnull_
#define PQcmdTuples postgres_table.PQcmdTuples_
#endif
