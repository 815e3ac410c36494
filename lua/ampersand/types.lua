---@meta ampersand.types
-- luacheck: ignore
-- Annotations for editors: every schema, every resource and method. Never loaded by a program.
-- Generated from the vendor's documents (MIT) by spec/support/generate_types.lua; do not edit.

---Options of one call.
---@class ampersand.CallOptions
---@field timeout? number seconds for the whole call, its tries included; default 60
---@field connect_timeout? number seconds for one connection; default 10
---@field read_timeout? number seconds without a byte; default 30
---@field retry? boolean|integer|ampersand.RetryOptions false, a number of tries, or true (POST and PATCH too); default 3
---@field headers? table<string, string> added to the request
---@field cancel? ampersand.CancelToken ends the call early
---@field max? integer stop a list after this many elements
---@field nulls? "keep"|"drop" "drop" leaves members out that are null; default "keep"
---@field big_integers? "number"|"string" "string" for integers that a number cannot hold; default "number"
---@field max_bytes? integer of a whole answer; the default depends on the operation
---@field max_values? integer of a whole answer; the default depends on the operation
---@field max_element_bytes? integer of one element of a list; default 16 MiB
---@field max_element_values? integer of one element of a list; default 10^6
---@field max_depth? integer nesting; default 1000
---@field unknown_fields? "refuse"|"ignore" what happens to near misses of known names, in bodies; default "refuse"

---How often a request is sent. The wait before a try is random, up to base seconds doubled with each try, at most cap.
---@class ampersand.RetryOptions
---@field attempts? integer tries in all; default 3
---@field base? number seconds; default 0.25
---@field cap? number seconds; default 8
---@field always? boolean repeat POST and PATCH, too

---Options of ampersand.new. client:with takes those that do not concern the connection: credentials, project,
---integration, org, region, user_agent, on_event and the options of a call without max and cancel.
---@class ampersand.Options
---@field api_key? string default: AMP_API_KEY, then AMPERSAND_API_KEY of the environment
---@field bearer? string|fun(reason: "first"|"expired"|"refused", token: string?): string?, any a JWT, or a function that returns one
---@field project? string id or name; default: AMPERSAND_PROJECT_ID
---@field integration? string id or name; default: AMPERSAND_INTEGRATION_ID
---@field org? string id
---@field base_url? string replaces all servers; /v1 is added unless the path ends in a version; default: AMP_API_URL
---@field region? string the vendor's servers in a region, such as "eu"; default: AMP_REGION
---@field servers? table<string, string> single servers by name: api, read, write, search, proxy
---@field timeout? number seconds for a whole call, its tries included; default 60
---@field connect_timeout? number seconds for one connection; default 10
---@field read_timeout? number seconds without a byte; default 30
---@field retry? boolean|integer|ampersand.RetryOptions false, a number of tries, or true (POST and PATCH too); default 3
---@field headers? table<string, string> added to every request
---@field user_agent? string appended to "ampersand-lua/VERSION"
---@field on_event? fun(event: table) called after every try
---@field nulls? "keep"|"drop" "drop" leaves members out that are null; default "keep"
---@field big_integers? "number"|"string" "string" for integers that a number cannot hold; default "number"
---@field max_bytes? integer of a whole answer; the default depends on the operation
---@field max_values? integer of a whole answer; the default depends on the operation
---@field max_element_bytes? integer of one element of a list; default 16 MiB
---@field max_element_values? integer of one element of a list; default 10^6
---@field max_depth? integer nesting; default 1000
---@field unknown_fields? "refuse"|"ignore" near misses of known names, in bodies, where and select; default "refuse"
---@field http_proxy? string URL of a proxy, "" for none; default: the environment's, except for loopback
---@field http_version? "1.1"|"2" default "2" over TLS
---@field max_connections? integer open connections; further calls wait
---@field keepalive? boolean TCP probes on idle connections after 60 s; default true; not in nginx
---@field requests_per_second? number further calls wait
---@field ca_file? string path of a PEM file of authorities; default: the system's
---@field ca_path? string directory of authorities; default: the system's
---@field client_cert? string path of a PEM file
---@field client_key? string path of a PEM file
---@field client_key_password? string|fun(): string of an encrypted client_key
---@field insecure_skip_verify? boolean accepts any certificate, so that any server can obtain the key; default false
---@field allow_insecure_http? boolean plain http to machines other than this one; default false
---@field transport? table|function sends the requests; default: libcurl, or that of the host
---@field loop? table adapter of an event loop, such as require "ampersand.loop.luv"

---A value that a field is compared with; ampersand.null is userdata.
---@alias ampersand.Value string|number|boolean|userdata

---A test of one field. Several operators mean "and".
---@class ampersand.Test
---@field eq? ampersand.Value equal
---@field ne? ampersand.Value present, of the same type, and different
---@field ["in"]? ampersand.Value[] one of these
---@field lt? string|number less; strings byte by byte
---@field lte? string|number less or equal
---@field gt? string|number greater
---@field gte? string|number greater or equal
---@field prefix? string begins with
---@field present? boolean true: present, null included; false: absent

---A condition of where. Several members mean "and". A name is a dotted path; * is any key or index.
---@class ampersand.Condition
---@field any? ampersand.Condition[] one of these conditions holds
---@field all? ampersand.Condition[] all of these conditions hold
---@field [string] ampersand.Value|ampersand.Value[]|ampersand.Test

---The second result of a successful call.
---@class ampersand.Info
---@field status integer HTTP status
---@field headers table<string, string> names in lower case
---@field request_id? string for the vendor's support
---@field attempts integer how often the request was sent

---Configuration that defines how an OAuth 2.0 access token is attached to outbound API requests.
---@class AccessTokenOpts
---@field attachmentType "accessTokenHeaderAttachment" How the access token should be attached to requests.
---@field docsURL? string URL with more information about how access token is used.
---@field header? AccessTokenOptsHeader Configuration for access token in header.

---Configuration for access token in header.
---@class AccessTokenOptsHeader
---@field name string The name of the header to be used for the access token.
---@field valuePrefix? string The prefix to be added to the access token value when it is sent in the header.

---@class ApiKey
---@field active? boolean Whether the API key is active.
---@field key string The API key.
---@field label string A short name for the API key.
---@field projectId string The project ID.
---@field scopes ApiKeyScopes The scopes for the API key.

---when this object is present, it means that this provider uses Basic Auth to actually collect an API key
---@class ApiKeyAsBasicOpts
---@field fieldUsed? "username"|"password" whether the API key should be used as the username or password.
---@field keyFormat? string How to transform the API key in to a basic auth user:pass string.

---Configuration for API key.
---@class ApiKeyOpts
---@field attachmentType "query"|"header" How the API key should be attached to requests.
---@field docsURL? string URL with more information about how to get or use an API key.
---@field header? ApiKeyOptsHeader Configuration for API key in header.
---@field query? ApiKeyOptsQuery Configuration for API key in query parameter.

---Configuration for API key in header.
---@class ApiKeyOptsHeader
---@field name string The name of the header to be used for the API key.
---@field valuePrefix? string The prefix to be added to the API key value when it is sent in the header.

---Configuration for API key in query parameter.
---@class ApiKeyOptsQuery
---@field name string The name of the query parameter to be used for the API key.

---@class ApiKeyRequest
---@field label string A short name for the API key.
---@field scopes? ApiKeyScopes The scopes for the API key.

---The scopes for the API key.
---@alias ApiKeyScopes string[]

---@class ApiProblem
---@field causes? string[] A list of problems that caused this problem.
---@field context? table<string, any> Additional context for the problem
---@field detail? string A human-readable explanation specific to this occurrence of the problem
---@field href? string An absolute URI that, when dereferenced, provides human-readable documentation for the problem type (e.g...
---@field instance? string An absolute URI that identifies the specific occurrence of the problem.
---@field remedy? string A brief description of how to resolve the problem
---@field requestId? string A unique identifier for the request, useful for debugging
---@field retryAfter? string A timestamp after which the request can be retried, formatted as RFC-3339
---@field retryable? boolean Whether the request can be retried
---@field status? integer The HTTP status code generated by the origin server for this occurrence of the problem.
---@field subsystem? string The subsystem that generated the problem
---@field supportEmail? string An email address to contact for support
---@field supportPhone? string A phone number to contact for support
---@field supportUrl? string A URL to contact for support
---@field time? string The time the problem occurred, formatted as RFC-3339
---@field title? string A short summary of the problem type.
---@field type? string An absolute URI that identifies the problem type

---@class AssociationChangeEvent
---@field enabled? "always" If always, the integration will subscribe to association change events.
---@field includeFullRecords? boolean If true, the integration will include full records in the event payload.

---Relationship information for a field to another object
---@class AssociationDefinition
---@field associationType string High-level association variety (e.g., 'foreignKey', 'lookup', 'ref')
---@field cardinality? string Association cardinality from the referencing field's perspective
---@field labels? AssociationLabels UI labels for an association
---@field onDelete? string Behavior upon foreign object deletion
---@field required? boolean If true, a referenced record must exist
---@field reverseLookupFieldName? string Optional inverse relationship/property name exposed on the target object
---@field targetField? string Name of the referenced field on the target object
---@field targetObject string Name of the referenced/parent object

---UI labels for an association
---@class AssociationLabels
---@field plural? string Plural display label
---@field singular? string Singular display label

---A URL to check the health of a provider's credentials.
---@class AuthHealthCheck
---@field method? string The HTTP method to use for the health check.
---@field successStatusCodes? integer[] The HTTP status codes that indicate a successful health check.
---@field url string a no-op URL to check the health of the credentials.

---The type of authentication required by the provider.
---@alias AuthType "oauth2"|"apiKey"|"basic"|"jwt"|"custom"|"none"

---@class Backfill
---@field defaultPeriod DefaultPeriod

---@class BackfillConfig
---@field defaultPeriod DefaultPeriodConfig
---@field fieldFilters? ReadFilter[] Filters to apply only during backfill.

---@class BackfillProgress
---@field createTime? string When the backfill operation started.
---@field installationId string The installation ID.
---@field objectName string The object being synced (e.g., contact, account).
---@field operationId string The ID of the backfill operation.
---@field recordsEstimatedTotal? integer The estimated total number of records to process.
---@field recordsProcessed integer The number of records processed so far.
---@field updateTime? string When progress was last updated.

---@class BaseConfigContent
---@field provider? string The SaaS API that we are integrating with.
---@field proxy? BaseProxyConfig
---@field read? BaseReadConfig
---@field write? BaseWriteConfig

---@class BaseProxyConfig
---@field enabled? boolean

---@class BaseReadConfig
---@field objects? table<string, BaseReadConfigObject> This is a map of object names to their configuration.

---@class BaseReadConfigObject
---@field backfill? BackfillConfig
---@field destination? string The name of the destination that the result should be sent to.
---@field disabled? boolean If this flag is set to true, scheduled reads associated with this object will be paused, and on-demand...
---@field dynamicMappingsInput? DynamicMappingsInput An array containing all available dynamic field and value mappings for this installation, provided by the...
---@field fieldFilters? ReadFilter[] Filters to apply when reading records during incremental reads and backfill.
---@field objectName? string The name of the object to read from.
---@field schedule? string The schedule for reading the object, in cron syntax.
---@field selectedFieldMappings? table<string, string> This is a map of mapToNames to field names. (A mapTo name is the name the builder wants to map a field to...
---@field selectedFields? table<string, boolean> This is a map of field names to booleans indicating whether they should be read.
---@field selectedFieldsAuto? SelectedFieldsAutoConfig If selectedFieldsAuto is set to all, all fields will be read.
---@field selectedValueMappings? table<string, SelectedValueMappings> This is a map of field names to their value mappings.

---@class BaseSubscribeConfig
---@field objects? table<string, BaseSubscribeConfigObject>

---@class BaseSubscribeConfigObject
---@field createEvent? ConfigCreateEvent
---@field deleteEvent? ConfigDeleteEvent
---@field destination string The name of the destination that the result should be sent to.
---@field inheritFieldsAndMappings boolean Whether to inherit fields and mappings from the read config.
---@field objectName string The name of the object to subscribe to.
---@field otherEvents? ConfigOtherEvents
---@field providerOptions? SubscribeProviderOptions Subscribe options that only apply to certain providers.
---@field updateEvent? ConfigUpdateEvent

---@class BaseWriteConfig
---@field objects? table<string, BaseWriteConfigObject> This is a map of object names to their configuration.

---@class BaseWriteConfigObject
---@field deletionSettings? DeletionSettings
---@field objectName string The name of the object to write to.
---@field selectedFieldSettings? table<string, FieldSetting> This is a map of field names to their settings.
---@field selectedValueDefaults? table<string, ValueDefault> This is a map of field names to default values.

---Configuration for Basic Auth.
---@class BasicAuthOpts
---@field apiKeyAsBasic? boolean If true, the provider uses an API key which then gets encoded as a basic auth user:pass string.
---@field apiKeyAsBasicOpts? ApiKeyAsBasicOpts when this object is present, it means that this provider uses Basic Auth to actually collect an API key
---@field docsURL? string URL with more information about how to get or use an API key.

---@class BatchWriteSupport
---@field create BatchWriteSupportConfig
---@field delete BatchWriteSupportConfig
---@field update BatchWriteSupportConfig
---@field upsert BatchWriteSupportConfig

---@class BatchWriteSupportConfig
---@field defaultRecordLimit? integer The default number of records supported in a batch
---@field objectRecordLimits? table<string, integer> Defines object-level overrides for batch record limits.
---@field supported boolean Whether this type of batch write operation is supported

---@class BillingAccount
---@field billingProvider string The billing provider that this account is associated with.
---@field billingProviderRef string The ID used by the billing provider to identify the account.
---@field createTime? string The time the billing account was created.
---@field displayName string The display name of the billing account.
---@field id string The billing account ID.
---@field updateTime? string The time the billing account was last updated.

---@class Builder
---@field createTime string The time that the builder joined Ampersand.
---@field firstName? string
---@field fullName? string
---@field id string The builder ID.
---@field idpProvider string The identity provider
---@field idpRef string ID used by the identity provider
---@field lastName? string
---@field primaryEmail? string

---@class BuilderInfo
---@field builder Builder
---@field orgRole? BuilderInfo.orgRole
---@field projectRoles table<string, BuilderInfo.projectRoles> A map of project IDs to project roles for the builder.

---@class BuilderInfo.orgRole
---@field org Org
---@field principalId string The ID of the team or builder.
---@field principalType "team"|"builder" The type of the principal.
---@field role string The role of the builder in the org.

---@class BuilderInfo.projectRoles
---@field principalId string The ID of the team or builder.
---@field principalType "team"|"builder" The type of the principal.
---@field project Project
---@field role string The role of the builder in the project.

---@class BulkWriteSupport
---@field delete boolean
---@field insert boolean
---@field update boolean
---@field upsert boolean

---@class ClaimedDomainResponse
---@field domain string The normalized domain name
---@field id string Unique identifier for the claimed domain
---@field parentId string ID of the parent entity that claimed the domain
---@field parentType string Type of the parent entity that claimed the domain

---@class Config
---@field content ConfigContent
---@field createTime string The time the config was created.
---@field createdBy string The person who created the config, in the format of "consumer:{consumer-id}" or "builder:{builder-id}".
---@field id string The config ID.
---@field revisionId string The ID of the revision that was current when this config was created or last updated.

---@class ConfigContent
---@field provider string The SaaS API that we are integrating with.
---@field proxy? BaseProxyConfig
---@field read? ReadConfig
---@field subscribe? SubscribeConfig
---@field write? WriteConfig

---@class ConfigCreateEvent
---@field enabled "always"|"never" Conditions to enable create events.

---@class ConfigDeleteEvent
---@field enabled "always"|"never" Conditions to enable delete events.

---@alias ConfigOtherEvents string[]

---@class ConfigUpdateEvent
---@field enabled "always"|"never" Conditions to enable update events.
---@field requiredWatchFields? string[] The fields that should be watched.
---@field watchFieldsAuto? "all" Whether to watch fields all fields automatically.

---@class Connection
---@field apiKey? string The API key used while making the connection.
---@field authScheme "none"|"apiKey"|"basic"|"oauth2/authorizationCode"|"oauth2/authorizationCodePKCE"|"oauth2/clientCredentials"|"oauth2/password" The authentication scheme used for this connection.
---@field consumer Consumer
---@field createTime string The time the connection was created.
---@field group Group
---@field id string The connection ID.
---@field oauth2AuthorizationCode? Oauth2AuthorizationCodeTokensOnly
---@field projectId string The Ampersand project ID.
---@field provider string The SaaS provider that this Connection is for.
---@field providerApp? ProviderApp
---@field providerConsumerRef? string If available, the ID that Salesforce/Hubspot uses to identify this user (e.g. Salesforce has IDs in the...
---@field providerMetadata? ProviderMetadata
---@field providerWorkspaceRef? string If available, the identifier for the provider workspace (e.g. the Salesforce subdomain)
---@field status "created"|"working"|"bad_credentials" The status of the connection. - `created`: The connection has just been created or the access token was...
---@field updateTime? string The time the connection was last updated.

---@class ConnectionRequest
---@field apiKey? string The API key to use for the connection.
---@field basicAuth? ConnectionRequest.basicAuth
---@field consumerName? string The name of the consumer that has access to this installation.
---@field consumerRef? string The consumer reference.
---@field customAuth? table<string, any> Values used for custom auth input variables.
---@field groupName? string The name of the user group that has access to this installation.
---@field groupRef? string The ID of the user group that has access to this installation.
---@field oauth2AuthorizationCode? Oauth2AuthorizationCode
---@field oauth2ClientCredentials? ConnectionRequest.oauth2ClientCredentials
---@field oauth2PasswordCredentials? ConnectionRequest.oauth2PasswordCredentials
---@field provider? string The provider name (e.g. "salesforce", "hubspot")
---@field providerMetadata? ProviderMetadata
---@field providerWorkspaceRef? string The ID of the provider workspace that this connection belongs to.

---@class ConnectionRequest.basicAuth
---@field password string The password to use for the connection.
---@field username string The username to use for the connection.

---@class ConnectionRequest.oauth2ClientCredentials
---@field clientId string The client ID to use for the connection.
---@field clientSecret string The client secret to use for the connection.
---@field scopes? string[] The scopes for the tokens.

---@class ConnectionRequest.oauth2PasswordCredentials
---@field clientId string The client ID to use for the connection.
---@field clientSecret string The client secret to use for the connection.
---@field password string The password to use for the connection.
---@field scopes? string[] The scopes for the tokens.
---@field username string The username to use for the connection.

---@class Consumer
---@field consumerName string The name of the consumer.
---@field consumerRef string The consumer reference.
---@field createTime string The time the consumer was created.
---@field projectId string The Ampersand project ID.
---@field updateTime? string The time the consumer was last updated.

---@class CreateEvent
---@field enabled? "always" If always, the integration will subscribe to create events by default.

---@class CreateJWTKeyRequest
---@field algorithm "RS256" The cryptographic JWT signing algorithm (currently only RS256 is supported)
---@field label string Human-readable label for the JWT key
---@field publicKeyPem string RSA public key in PEM format for JWT signature verification

---Request body for the /custom-auth/connect endpoint.
---@class CustomAuthConnectRequest
---@field callbackParams? table<string, string> The query/body params the provider sent to the callback, forwarded to resume the flow.
---@field consumerName? string The display name for the consumer.
---@field consumerRef? string The ID that your app uses to identify the user whose SaaS credential will be used.
---@field customAuth? table<string, any> The consumer-supplied custom auth inputs (keyed by CustomAuthInput.name).
---@field groupName? string The display name for the group.
---@field groupRef? string Your application's identifier for the organization or workspace that this connection belongs to.
---@field projectIdOrName string The Ampersand project ID or project name.
---@field provider? string The provider that this app connects to.
---@field providerAppId? string ID of the provider app.
---@field providerMetadata? ProviderMetadata Additional provider-specific metadata collected from the user.
---@field sessionId? string Identifies an in-progress flow to resume after a redirect.

---Response from /custom-auth/connect.
---@class CustomAuthConnectResponse
---@field connection? Connection
---@field redirect? RedirectResponse Instructs the client to open a URL (e.g. in a popup) to continue a custom auth flow, then resume by...

---A custom header to be used for authentication.
---@class CustomAuthHeader
---@field name string The name of the header.
---@field valueTemplate string The value of the header, represented as a Golang text/template expression.

---A custom input field for authentication.
---@class CustomAuthInput
---@field displayName string The human-readable name for the custom auth input field.
---@field docsURL? string URL with details about this authentication mechanism and how to use it.
---@field fieldType? "fieldTypeText"|"fieldTypePassword"|"fieldTypeSelect" How the frontend should render this input. "fieldTypeText" is an unmasked field (not sensitive...
---@field name string The internal identifier for the custom auth input field.
---@field options? CustomAuthInputOption[] The dropdown options, used only when fieldType is "select".
---@field prompt? string Some helpful text or context to be displayed to the user when asking for this input.

---A selectable option for a custom auth input whose fieldType is "select".
---@class CustomAuthInputOption
---@field label string The human-readable label shown for this option.
---@field value string The value stored when this option is selected.

---Configuration for custom auth.
---@class CustomAuthOpts
---@field headers? CustomAuthHeader[] A list of custom headers to be used for authentication.
---@field inputs? CustomAuthInput[] A list of custom input fields for authentication.
---@field multiStep? boolean Whether this provider uses a multi-step custom auth flow (browser redirects and/or server-side credential...
---@field providerInputs? CustomAuthInput[] Input fields the builder configures on their provider app (e.g. client secrets, subscription keys) rather...
---@field queryParams? CustomAuthQueryParam[] A list of custom query parameters to be used for authentication.

---A custom query parameter to be used for authentication.
---@class CustomAuthQueryParam
---@field name string The name of the query parameter.
---@field valueTemplate string The value of the query parameter, represented as a Golang text/template expression.

---@class DefaultPeriod
---@field days? integer Number of days in past to backfill from. 0 is no backfill. e.g) if 10, then backfill last 10 days of data.
---@field fullHistory? boolean If true, backfill all history.

---@class DefaultPeriodConfig
---@field days? integer Number of days in past to backfill from. 0 is no backfill. e.g) if 10, then backfill last 10 days of data.
---@field fullHistory? boolean If true, backfill all history.

---@class DeleteEvent
---@field enabled? "always" If always, the integration will subscribe to delete events by default.

---@class DeletionSettings
---@field enabled boolean Whether deletion is enabled for this object

---@class Delivery
---@field mode? "onRequest"|"auto" The data delivery mode for this object.
---@field pageSize? integer The number of records to receive per data delivery.

---@class Destination
---@field createTime string The time the destination was created.
---@field id string The destination ID.
---@field metadata Destination.metadata
---@field name string User-defined name for the destination.
---@field type string The type of the destination.
---@field updateTime? string The time the destination was updated.

---@class Destination.metadata
---@field account? string The storage account name for the azureblob destination
---@field accountIdentifier? string The Snowflake account identifier for the snowflake destination
---@field batchSize? integer For warehouse destinations, rows to buffer before flushing a batch (default 1000)
---@field bucket? string The name of the S3 bucket
---@field clusterIdentifier? string The Redshift provisioned cluster identifier for the redshift destination
---@field container? string The blob container name for the azureblob destination
---@field database? string The database name for the clickhouse destination
---@field datasetId? string The BigQuery dataset ID for the bigquery destination
---@field dbName? string The database name (snowflake, redshift)
---@field dbUser? string The database user for the redshift destination
---@field exchange? string The exchange to publish to for the rabbitmq destination
---@field headers? WebhookHeaders Additional headers to add when Ampersand sends a webhook message
---@field keyTemplate? string JMESPath template for generating S3 object keys
---@field maxWaitSecs? integer For warehouse destinations, max seconds before flushing a batch (default 30)
---@field name? string The queue or topic name for the azureservicebus destination
---@field partitionKeyTemplate? string Template for generating partition keys
---@field projectId? string The Google Cloud project ID (bigquery, pubsub)
---@field queueUrl? string The SQS queue URL for the sqs destination
---@field region? string The AWS region for the destination
---@field schemaName? string The schema name (snowflake, redshift)
---@field serverUrl? string The AMQP server URL for the rabbitmq destination
---@field storageClass? string The S3 storage class for written objects (defaults to STANDARD)
---@field streamName? string The name of the Kinesis stream
---@field tableId? string The BigQuery table ID for the bigquery destination
---@field tableName? string The destination table name (clickhouse, snowflake, redshift)
---@field tls? boolean Whether to connect over TLS (rabbitmq)
---@field topicId? string The Pub/Sub topic ID for the pubsub destination
---@field url? string Webhook URL
---@field userId? string The user ID for the snowflake destination
---@field username? string The username for the clickhouse destination
---@field workgroupName? string The Redshift Serverless workgroup name for the redshift destination

---Destination object with secrets field (returned by getDestination when includeSecrets is true)
---@class DestinationWithSecrets
---@field createTime string The time the destination was created.
---@field id string The destination ID.
---@field metadata DestinationWithSecrets.metadata
---@field name string User-defined name for the destination.
---@field secrets? DestinationWithSecrets.secrets Destination secrets (only included when includeSecrets is true)
---@field type string The type of the destination.
---@field updateTime? string The time the destination was updated.

---@class DestinationWithSecrets.metadata
---@field account? string The storage account name for the azureblob destination
---@field accountIdentifier? string The Snowflake account identifier for the snowflake destination
---@field batchSize? integer For warehouse destinations, rows to buffer before flushing a batch (default 1000)
---@field bucket? string The name of the S3 bucket
---@field clusterIdentifier? string The Redshift provisioned cluster identifier for the redshift destination
---@field container? string The blob container name for the azureblob destination
---@field database? string The database name for the clickhouse destination
---@field datasetId? string The BigQuery dataset ID for the bigquery destination
---@field dbName? string The database name (snowflake, redshift)
---@field dbUser? string The database user for the redshift destination
---@field exchange? string The exchange to publish to for the rabbitmq destination
---@field headers? WebhookHeaders Additional headers to add when Ampersand sends a webhook message
---@field keyTemplate? string JMESPath template for generating S3 object keys
---@field maxWaitSecs? integer For warehouse destinations, max seconds before flushing a batch (default 30)
---@field name? string The queue or topic name for the azureservicebus destination
---@field partitionKeyTemplate? string Template for generating partition keys
---@field projectId? string The Google Cloud project ID (bigquery, pubsub)
---@field queueUrl? string The SQS queue URL for the sqs destination
---@field region? string The AWS region for the destination
---@field schemaName? string The schema name (snowflake, redshift)
---@field serverUrl? string The AMQP server URL for the rabbitmq destination
---@field storageClass? string The S3 storage class for written objects (defaults to STANDARD)
---@field streamName? string The name of the Kinesis stream
---@field tableId? string The BigQuery table ID for the bigquery destination
---@field tableName? string The destination table name (clickhouse, snowflake, redshift)
---@field tls? boolean Whether to connect over TLS (rabbitmq)
---@field topicId? string The Pub/Sub topic ID for the pubsub destination
---@field url? string Webhook URL
---@field userId? string The user ID for the snowflake destination
---@field username? string The username for the clickhouse destination
---@field workgroupName? string The Redshift Serverless workgroup name for the redshift destination

---Destination secrets (only included when includeSecrets is true)
---@class DestinationWithSecrets.secrets
---@field webhookSigningKey? string Webhook signing key for the destination (only included for webhook destinations)

---An array containing all available dynamic field and value mappings for this installation, provided by the...
---@alias DynamicMappingsInput DynamicMappingsInputEntry[]

---@class DynamicMappingsInputEntry
---@field fieldName? string The name of the field in SaaS provider, if present, then we will not prompt the user to map the field.
---@field mapToDisplayName? string Optional display name of the field to show the user in the mapping UI.
---@field mapToName string The name of the field in your application.
---@field mappedValues? DynamicMappingsInputMappedValue[] If you would like the user to map a set of possible values, this is the list of possible values of the...
---@field prompt? string Optional prompt to show the user in the mapping UI.

---@class DynamicMappingsInputMappedValue
---@field mappedDisplayValue string
---@field mappedValue string

---Configuration for detecting when fields are changed.
---@class FieldChangedEvent
---@field enabled "always" If always, the integration will monitor for field changes by default.

---Configuration for detecting when new fields are created.
---@class FieldCreatedEvent
---@field enabled "always" If always, the integration will monitor for new fields by default.

---Field definition for creating or updating custom fields
---@class FieldDefinition
---@field association? AssociationDefinition Relationship information for a field to another object
---@field description? string Optional description of the field
---@field displayName string The human-readable name of the field
---@field fieldName string The identifier of the field
---@field indexed? boolean Indicates if the field should be indexed for faster search
---@field numericOptions? NumericFieldOptions Additional options for numeric fields
---@field required? boolean Indicates if the field is required
---@field stringOptions? StringFieldOptions Additional options for string fields
---@field unique? boolean Indicates if the field must be unique across all records
---@field valueType string The data type of the field.

---Configuration for detecting when fields are deleted.
---@class FieldDeletedEvent
---@field enabled "always" If always, the integration will monitor for deleted fields by default.

---Metadata about a field.
---@class FieldMetadata
---@field displayName string The display name of the field from the provider API.
---@field fieldName string The name of the field from the provider API.
---@field isCustom? boolean Whether the field is custom field.
---@field isRequired? boolean Whether the field is required when creating a new record.
---@field providerType? string Raw field type from the provider API.
---@field readOnly? boolean Whether the field is read-only.
---@field referenceTo? string[] The list of object types this field references.
---@field valueType? "string"|"boolean"|"singleSelect"|"multiSelect"|"date"|"datetime"|"int"|"float"|"reference"|"other" A normalized field type
---@field values? FieldValue[] If the valueType is singleSelect or multiSelect, this is a list of possible values

---@class FieldSetting
---@field default? FieldSettingDefault Only use one of stringValue, integerValue, booleanValue.
---@field writeOnCreate? "always"|"never" Whether the default value should be applied when creating a record.
---@field writeOnUpdate? "always"|"never"|"ifEmpty" Whether the default value should be applied when updating a record. - always: Always write to the field on...

---Only use one of stringValue, integerValue, booleanValue.
---@class FieldSettingDefault
---@field booleanValue? boolean The default boolean value to apply to a field
---@field integerValue? integer The default integer value to apply to a field
---@field stringValue? string The default string value to apply to a field

---Result of an upsert operation for a single field
---@class FieldUpsertResult
---@field action string Action taken (create, update, none)
---@field fieldName string Name of the field
---@field metadata? table<string, any> Provider-specific metadata about the field
---@field warnings? string[] Warnings that occurred during the upsert operation

---Represents a field value
---@class FieldValue
---@field displayValue string The human-readable display value
---@field value string The internal value used by the system

---@class GenerateConnectionRequest
---@field apiKey? string The API key to use for the connection.
---@field basicAuth? GenerateConnectionRequest.basicAuth
---@field consumerName? string The name of the consumer that has access to this installation.
---@field consumerRef string The consumer reference.
---@field customAuth? table<string, any> Values used for custom auth input variables.
---@field groupName? string The name of the user group that has access to this installation.
---@field groupRef string The ID of the user group that has access to this installation.
---@field oauth2AuthorizationCode? Oauth2AuthorizationCode
---@field oauth2ClientCredentials? GenerateConnectionRequest.oauth2ClientCredentials
---@field oauth2PasswordCredentials? GenerateConnectionRequest.oauth2PasswordCredentials
---@field provider string The provider name (e.g. "salesforce", "hubspot")
---@field providerMetadata? ProviderMetadata
---@field providerWorkspaceRef? string The ID of the provider workspace that this connection belongs to.

---@class GenerateConnectionRequest.basicAuth
---@field password string The password to use for the connection.
---@field username string The username to use for the connection.

---@class GenerateConnectionRequest.oauth2ClientCredentials
---@field clientId string The client ID to use for the connection.
---@field clientSecret string The client secret to use for the connection.
---@field scopes? string[] The scopes for the tokens.

---@class GenerateConnectionRequest.oauth2PasswordCredentials
---@field clientId string The client ID to use for the connection.
---@field clientSecret string The client secret to use for the connection.
---@field password string The password to use for the connection.
---@field scopes? string[] The scopes for the tokens.
---@field username string The username to use for the connection.

---@class Group
---@field createTime string The time the group was created.
---@field groupName string The name of the user group that has access to this installation.
---@field groupRef string The ID of the user group that has access to this installation.
---@field projectId string The Ampersand project ID.
---@field updateTime? string The time the group was last updated.

---@class HydratedIntegration
---@field displayName? string
---@field module? string
---@field name string
---@field provider string
---@field proxy? HydratedIntegrationProxy
---@field read? HydratedIntegrationRead
---@field write? HydratedIntegrationWrite

---@alias HydratedIntegrationField HydratedIntegrationFieldExistent|IntegrationFieldMapping

---@class HydratedIntegrationFieldExistent
---@field displayName string
---@field fieldName string
---@field mapToDisplayName? string The display name to map to in the destination.
---@field mapToName? string The field name to map to in the destination.

---@class HydratedIntegrationObject
---@field allFields? HydratedIntegrationField[] This is a list of all fields on the object for a particular SaaS instance, including their display names.
---@field allFieldsMetadata? table<string, FieldMetadata> This is a map of all fields on the object including their metadata (such as display name and type), the...
---@field backfill? Backfill
---@field destination string
---@field displayName string
---@field error? string Error message if there was an issue hydrating this object.
---@field mapToDisplayName? string A display name to map to.
---@field mapToName? string An object name to map to.
---@field objectName string
---@field optionalFields? HydratedIntegrationField[]
---@field optionalFieldsAuto? OptionalFieldsAutoOption
---@field requiredFields? HydratedIntegrationField[]
---@field schedule string

---@class HydratedIntegrationProxy
---@field enabled? boolean
---@field useModule? boolean Default is false.

---@class HydratedIntegrationRead
---@field objects? HydratedIntegrationObject[]

---@class HydratedIntegrationWrite
---@field objects? HydratedIntegrationWriteObject[]

---@class HydratedIntegrationWriteObject
---@field displayName string
---@field objectName string
---@field valueDefaults? ValueDefaults Configuration to set default write values for object fields.

---@class HydratedRevision
---@field content HydratedIntegration
---@field createTime string The time the revision was created.
---@field id string The revision ID.
---@field specVersion string The spec version string.

---An issue detected during input validation.
---@class InputValidationIssue
---@field causes? string[] A list of problems that caused this problem.
---@field context? table<string, any> Additional context for the problem
---@field detail? string A human-readable explanation specific to this occurrence of the problem
---@field href? string An absolute URI that, when dereferenced, provides human-readable documentation for the problem type (e.g...
---@field in? "body"|"header"|"path"|"query" The location of the invalid input
---@field instance? string An absolute URI that identifies the specific occurrence of the problem.
---@field name? string The name of the invalid input
---@field remedy? string A brief description of how to resolve the problem
---@field requestId? string A unique identifier for the request, useful for debugging
---@field retryAfter? string A timestamp after which the request can be retried, formatted as RFC-3339
---@field retryable? boolean Whether the request can be retried
---@field status? integer The HTTP status code generated by the origin server for this occurrence of the problem.
---@field subsystem? string The subsystem that generated the problem
---@field supportEmail? string An email address to contact for support
---@field supportPhone? string A phone number to contact for support
---@field supportUrl? string A URL to contact for support
---@field time? string The time the problem occurred, formatted as RFC-3339
---@field title? string A short summary of the problem type.
---@field type? string An absolute URI that identifies the problem type
---@field value? any The value of the erroneous input

---@class InputValidationProblem
---@field causes? string[] A list of problems that caused this problem.
---@field context? table<string, any> Additional context for the problem
---@field detail? string A human-readable explanation specific to this occurrence of the problem
---@field href? string An absolute URI that, when dereferenced, provides human-readable documentation for the problem type (e.g...
---@field instance? string An absolute URI that identifies the specific occurrence of the problem.
---@field issues? InputValidationIssue[]
---@field remedy? string A brief description of how to resolve the problem
---@field requestId? string A unique identifier for the request, useful for debugging
---@field retryAfter? string A timestamp after which the request can be retried, formatted as RFC-3339
---@field retryable? boolean Whether the request can be retried
---@field status? integer The HTTP status code generated by the origin server for this occurrence of the problem.
---@field subsystem? string The subsystem that generated the problem
---@field supportEmail? string An email address to contact for support
---@field supportPhone? string A phone number to contact for support
---@field supportUrl? string A URL to contact for support
---@field time? string The time the problem occurred, formatted as RFC-3339
---@field title? string A short summary of the problem type.
---@field type? string An absolute URI that identifies the problem type

---@class Installation
---@field config Config
---@field connection Connection
---@field createTime string The time the installation was created.
---@field createdBy string The person who did the installation, in the format of "consumer:{consumer-id}".
---@field group? Group
---@field healthStatus "healthy"|"unhealthy" The health status of the installation.
---@field id string The installation ID.
---@field integrationId string The integration ID.
---@field lastOperationStatus? "success"|"failure"|"in_progress" The status of the latest operation for this installation.
---@field projectId string The Ampersand project ID.
---@field updateTime? string The time the installation was last updated with a new config.

---@class Integration
---@field createTime string The time the integration was created.
---@field id string The integration ID.
---@field latestRevision Revision
---@field name string The integration name.
---@field projectId string The Ampersand project ID.
---@field provider string The SaaS provider that this integration connects to.
---@field updateTime? string The time the integration was last updated.

---@class Integration2
---@field displayName? string
---@field module? string
---@field name string
---@field provider string
---@field proxy? IntegrationProxy
---@field read? IntegrationRead
---@field subscribe? IntegrationSubscribe
---@field watchSchema? WatchSchema Configuration for monitoring provider schema changes.
---@field write? IntegrationWrite

---@alias IntegrationField IntegrationFieldExistent|IntegrationFieldMapping

---@class IntegrationFieldExistent
---@field fieldName string
---@field mapToDisplayName? string The display name to map to.
---@field mapToName? string The field name to map to.

---@class IntegrationFieldMapping
---@field default? string
---@field mapToDisplayName? string
---@field mapToName string
---@field prompt? string

---@class IntegrationObject
---@field backfill? Backfill
---@field delivery? Delivery
---@field destination string
---@field enabled? "always" If set to `always`, Ampersand reads this object for every installation even if the customer never selects...
---@field mapToDisplayName? string A display name to map to.
---@field mapToName? string An object name to map to.
---@field objectName string
---@field optionalFields? IntegrationField[]
---@field optionalFieldsAuto? OptionalFieldsAutoOption
---@field requiredFields? IntegrationField[]
---@field schedule string

---@class IntegrationProxy
---@field enabled? boolean
---@field useModule? boolean Default is false.

---@class IntegrationRead
---@field objects? IntegrationObject[]

---@class IntegrationSubscribe
---@field objects? IntegrationSubscribeObject[]

---@class IntegrationSubscribeObject
---@field associationChangeEvent? AssociationChangeEvent
---@field createEvent? CreateEvent
---@field deleteEvent? DeleteEvent
---@field destination string
---@field inheritFieldsAndMapping? boolean If true, the integration will inherit the fields and mapping from the read object.
---@field objectName string
---@field otherEvents? OtherEvents
---@field updateEvent? UpdateEvent

---@class IntegrationWrite
---@field objects? IntegrationWriteObject[]

---@class IntegrationWriteObject
---@field inheritMapping? boolean If true, the write object will inherit the mapping from the read object.
---@field objectName string
---@field valueDefaults? ValueDefaults Configuration to set default write values for object fields.

---@class Invite
---@field createTime string The time the invite was created.
---@field id string The invite ID.
---@field invitedEmail string The email address of the person invited.
---@field parentId string The ID of the parent (e.g. org ID).
---@field parentType "org" The type of entity that the person is invited to.
---@field status "pending"|"accepted"|"revoked"|"expired" The status of the invite.
---@field updateTime? string The time the invite was updated.

---Represents a single JSON Patch operation (RFC 6902).
---@class JSONPatchOperation
---@field op "add"|"remove"|"replace" The operation to perform. - "add": Adds a new field or replaces an existing one at the specified path...
---@field path string JSON Pointer path to the field to operate on (RFC 6901).
---@field value? any The value to set for add/replace operations.

---@class JWTKey
---@field active boolean Whether the JWT key is currently active and can be used for verification
---@field algorithm "RSA" The cryptographic algorithm used
---@field createTime string Timestamp when the JWT key was created
---@field id string Unique identifier for the JWT key
---@field label string Human-readable name for the JWT key
---@field projectId string The project this JWT key belongs to
---@field publicKeyPem string RSA public key in PEM format
---@field updateTime string Timestamp when the JWT key was last updated

---@class JWTKeyResponse
---@field kid string The unique key identifier (key ID) for the created JWT key

---@alias Labels table<string, string>

---@class Log
---@field message Log.message The log message object.
---@field severity string The severity of the log.
---@field timestamp string The time the log was created.

---The log message object.
---@class Log.message
---@field details? table<string, string> The details of the log.
---@field error? string The error message, if there has been an error.
---@field msg string The use-readable message.
---@field operation_id? string The operation ID.

---@class Media
---@field darkMode? MediaTypeDarkMode Media to be used in dark mode.
---@field regular? MediaTypeRegular Media for light/regular mode.

---Media to be used in dark mode.
---@class MediaTypeDarkMode
---@field iconURL? string URL to the icon for the provider that is to be used in dark mode.
---@field logoURL? string URL to the logo for the provider that is to be used in dark mode.

---Media for light/regular mode.
---@class MediaTypeRegular
---@field iconURL? string URL to the icon for the provider.
---@field logoURL? string URL to the logo for the provider.

---@class MetadataItemInput
---@field defaultValue? string Default value for this metadata item
---@field displayName? string The human-readable name for the field
---@field docsURL? string URL with more information about how to locate this value
---@field moduleDependencies? ModuleDependencies Specifies which modules REQUIRE (depend on) this metadata item.
---@field name string The internal identifier for the metadata field
---@field prompt? string Human-readable description that can contain instructions on how to collect metadata

---@class MetadataItemPostAuthentication
---@field moduleDependencies? ModuleDependencies Specifies which modules REQUIRE (depend on) this metadata item.
---@field name string The internal identifier for the metadata field

---Specifies which modules REQUIRE (depend on) this metadata item.
---@alias ModuleDependencies table<string, ModuleDependency>

---Dependency for a single module.
---@class ModuleDependency

---@class ModuleInfo
---@field baseURL string
---@field displayName string
---@field subscribeRequirements? SubscribeRequirements Declares which auxiliary steps a provider requires to support subscriptions, beyond the per-object...
---@field support Support The supported features for the provider.

---The registry of provider modules.
---@alias Modules table<string, ModuleInfo>

---@class NotificationEventTopicRoute
---@field createTime string The time when the event-topic route was created.
---@field eventType NotificationEventType The type of notification event.
---@field id string The event-topic route ID.
---@field projectId string The Ampersand project ID.
---@field topicId string The ID of the topic to route events to.
---@field updateTime? string The time when the event-topic route was last updated.

---The type of notification event.
---@alias NotificationEventType "connection.created"|"connection.error"|"connection.refreshed"|"connection.updated"|"connection.deleted"|"installation.created"|"installation.updated"|"installation.deleted"|"read.schedule.paused"|"read.backfill.done"|"read.triggered.done"|"read.triggered.error"|"write.async.done"|"subscribe.create.error"|"destination.webhook.disabled"

---Additional options for numeric fields
---@class NumericFieldOptions
---@field defaultValue? number Default value for the field
---@field max? number Maximum value for numeric fields
---@field min? number Minimum value for numeric fields
---@field precision? integer Total number of digits (for decimal types)
---@field scale? integer Number of digits to the right of the decimal point (for decimal types)

---@class Oauth2AuthorizationCode
---@field accessToken? Oauth2AuthorizationCode.accessToken The access token for the connection.
---@field refreshToken? Oauth2AuthorizationCode.refreshToken The refresh token to use for the connection.
---@field scopes? string[] The scopes for the tokens.

---The access token for the connection.
---@class Oauth2AuthorizationCode.accessToken
---@field expiresAt? string
---@field issuedAt? string
---@field token string

---The refresh token to use for the connection.
---@class Oauth2AuthorizationCode.refreshToken
---@field expiresAt? string
---@field issuedAt? string
---@field token string

---@class Oauth2AuthorizationCodeTokensOnly
---@field accessToken? Oauth2AuthorizationCodeTokensOnly.accessToken The access token for the connection.
---@field refreshToken? Oauth2AuthorizationCodeTokensOnly.refreshToken The refresh token to use for the connection.
---@field scopes? string[] The scopes for the tokens.

---The access token for the connection.
---@class Oauth2AuthorizationCodeTokensOnly.accessToken
---@field expiresAt? string
---@field issuedAt? string
---@field token string

---The refresh token to use for the connection.
---@class Oauth2AuthorizationCodeTokensOnly.refreshToken
---@field expiresAt? string
---@field issuedAt? string
---@field token string

---Configuration for OAuth2.0.
---@class Oauth2Opts
---@field accessTokenOpts? AccessTokenOpts Configuration that defines how an OAuth 2.0 access token is attached to outbound API requests.
---@field audience? string[] A list of URLs that represent the audience for the token, which is needed for some client credential grant...
---@field authURL? string The authorization URL.
---@field authURLParams? table<string, string>
---@field docsURL? string URL with more information about where to retrieve Client ID and Client Secret, etc.
---@field explicitScopesRequired boolean Whether scopes are required to be known ahead of the OAuth flow.
---@field explicitWorkspaceRequired boolean Whether the workspace is required to be known ahead of the OAuth flow.
---@field grantType "authorizationCode"|"authorizationCodePKCE"|"clientCredentials"|"password"
---@field keepAliveIntervalHours? integer How many hours between proactive token keep-alive refreshes for this provider.
---@field scopeMappings? table<string, string> Maps input scopes to their full OAuth scope values with template variable support.
---@field tokenMetadataFields TokenMetadataFields Fields to be used to extract token metadata from the token response.
---@field tokenURL string The token URL.

---@class ObjectMetadata
---@field displayName? string Human-readable name of the object
---@field fields table<string, FieldMetadata> Map of field metadata keyed by field name
---@field mappedObjectName? string The mapped name of the object as defined in your integration config, if a mapping was applied.
---@field name string The provider name of the object

---@class Operation
---@field actionType string The type of action that was performed (`read`, `write`, or `subscribe`).
---@field configId string The config ID.
---@field createTime? string The time the operation was created.
---@field id string Unique identifier for this operation.
---@field installationId string The Ampersand installation ID (customer instance) that this operation ran for.
---@field integrationId string The integration ID.
---@field metadata? Operation.metadata Additional operation details (e.g. objects, retry info, read progress, successfulRecordIds).
---@field projectId string The Ampersand project ID.
---@field result? string A human-readable summary of what the operation accomplished.
---@field status string The status of the operation. - `success`: The operation completed successfully - `failure`: The operation...

---Additional operation details (e.g. objects, retry info, read progress, successfulRecordIds).
---@class Operation.metadata
---@field objects? string[]
---@field progress? Operation.metadata.progress Read progress for the operation, reporting records processed and, where available, the estimated total.
---@field retry? Operation.metadata.retry
---@field successfulRecordIds? string[] Provider-assigned IDs of successfully created or updated records.

---Read progress for the operation, reporting records processed and, where available, the estimated total.
---@class Operation.metadata.progress
---@field installationId? string
---@field objectName? string
---@field operationId? string
---@field recordsEstimatedTotal? integer Only present for some providers (e.g. Salesforce, HubSpot).
---@field recordsProcessed? integer

---@class Operation.metadata.retry
---@field attempts? integer
---@field lastAttempt? string
---@field lastNotified? string

---@alias OptionalFieldsAutoOption "all"

---@class Org
---@field createTime string The time at which the organization was created.
---@field defaultTeamId string The ID of the Everyone team for the org.
---@field id string The organization ID.
---@field label string The organization label.
---@field updateTime? string The time the organization was updated.

---@alias OtherEvents string[]

---@class PaginationInfo
---@field done boolean If set to true, this is the last page of results for the given operation.
---@field nextPageToken? string If present, set this value against your 'pageToken' query parameter in the next API call, which will...

---@class PatchApiKeyRequest
---@field apiKey PatchApiKeyRequest.apiKey
---@field updateMask string[] Array of field paths specifying which fields to update.

---@class PatchApiKeyRequest.apiKey
---@field active? boolean Whether the API key is active.
---@field label? string A short name for the API key.
---@field scopes? ApiKeyScopes The scopes for the API key.

---@class PatchJWTKeyRequest
---@field jwtKey PatchJWTKeyRequest.jwtKey Object containing the fields to update with their new values
---@field updateMask ("active"|"label")[] List of field paths to update (currently supports 'active' and 'name')

---Object containing the fields to update with their new values
---@class PatchJWTKeyRequest.jwtKey
---@field active? boolean New active status for the JWT key
---@field label? string New label for the JWT key

---A Problem Details object (RFC 9457).
---@class Problem
---@field detail? string A human-readable explanation specific to this occurrence of the problem
---@field href? string An absolute URI that, when dereferenced, provides human-readable documentation for the problem type (e.g...
---@field instance? string An absolute URI that identifies the specific occurrence of the problem.
---@field status? integer The HTTP status code generated by the origin server for this occurrence of the problem.
---@field title? string A short summary of the problem type.
---@field type? string An absolute URI that identifies the problem type

---@class Project
---@field appName string The display name of the application, shown to end users during the connection flow.
---@field createTime string The time the project was created.
---@field entitlements? Project.entitlements Plan-based feature flags for the project.
---@field id string The unique identifier for the project.
---@field name string The unique name for the project.
---@field orgId string The ID of the organization that this project belongs to.
---@field updateTime? string The time the project was updated.

---Plan-based feature flags for the project.
---@class Project.entitlements
---@field brandingRemoval? Project.entitlements.brandingRemoval Controls whether Ampersand branding is removed from the embeddable UI components.
---@field logRetentionDays? Project.entitlements.logRetentionDays The number of days that logs are retained for this project.

---Controls whether Ampersand branding is removed from the embeddable UI components.
---@class Project.entitlements.brandingRemoval
---@field value boolean True if Ampersand branding has been removed for this project.

---The number of days that logs are retained for this project.
---@class Project.entitlements.logRetentionDays
---@field value integer The log retention period for this project, in days.

---@class ProviderApp
---@field clientId string The OAuth client ID for this app.
---@field createTime string The time the provider app was created.
---@field externalRef? string The ID used by the provider to identify the app (optional).
---@field id string The provider app ID.
---@field metadata? ProviderAppMetadata Provider-specific configuration that extends the standard OAuth flow.
---@field projectId string The Ampersand project ID.
---@field provider string The SaaS provider that this app connects to.
---@field scopes? string[] The OAuth scopes for this app.
---@field updateTime? string The time the provider app was updated.

---Provider-specific configuration that extends the standard OAuth flow.
---@class ProviderAppMetadata
---@field authQueryParams? table<string, string[]> Additional query parameters to include in the OAuth authorization URL (e.g., optional_scope for HubSpot).
---@field providerParams? table<string, string> Provider-specific string values keyed by names (e.g., packageInstallURL for Salesforce, gcpProjectId and...

---Describes the provider-app-level fields that the Ampersand dashboard should collect from the builder when...
---@class ProviderAppMetadata2
---@field authQueryParams? MetadataItemInput[] Descriptors for fields stored in ProviderApp.metadata.authQueryParams (e.g., optional_scope for HubSpot).
---@field providerParams? MetadataItemInput[] Descriptors for fields stored in ProviderApp.metadata.providerParams (e.g., packageInstallURL for...

---@class ProviderInfo
---@field apiKeyOpts? ApiKeyOpts Configuration for API key.
---@field authHealthCheck? AuthHealthCheck A URL to check the health of a provider's credentials.
---@field authType AuthType The type of authentication required by the provider.
---@field baseURL string The base URL for making API requests.
---@field basicOpts? BasicAuthOpts Configuration for Basic Auth.
---@field customOpts? CustomAuthOpts Configuration for custom auth.
---@field defaultModule string
---@field displayName? string The display name of the provider, if omitted, defaults to provider name.
---@field labels? Labels
---@field media? Media
---@field metadata? ProviderMetadata2 Provider metadata that needs to be given by the user or fetched by the connector post authentication for...
---@field modules? Modules The registry of provider modules.
---@field name string
---@field oauth2Opts? Oauth2Opts Configuration for OAuth2.0.
---@field postAuthInfoNeeded? boolean If true, we require additional information after auth to start making requests.
---@field providerAppMetadata? ProviderAppMetadata2 Describes the provider-app-level fields that the Ampersand dashboard should collect from the builder when...
---@field subscribeRequirements? SubscribeRequirements Declares which auxiliary steps a provider requires to support subscriptions, beyond the per-object...
---@field support Support The supported features for the provider.

---@alias ProviderMetadata table<string, ProviderMetadataInfo>

---Provider metadata that needs to be given by the user or fetched by the connector post authentication for...
---@class ProviderMetadata2
---@field input? MetadataItemInput[] Metadata provided as manual input
---@field postAuthentication? MetadataItemPostAuthentication[] Metadata fetched by the connector post authentication

---@class ProviderMetadataInfo
---@field displayName? string The human-readable name for the field
---@field source "input"|"token"|"provider" The source of the metadata field
---@field value string The value of the metadata field

---Reduces API quota consumption for update events by filtering irrelevant change events at the source, so...
---@class QuotaOptimizationConfig
---@field enabled boolean Whether quota optimization is enabled for this object.

---@class ReadConfig
---@field objects table<string, ReadConfigObject>

---@class ReadConfigObject
---@field backfill? BackfillConfig
---@field destination? string The name of the destination that the result should be sent to.
---@field disabled? boolean If this flag is set to true, scheduled reads associated with this object will be paused, and on-demand...
---@field dynamicMappingsInput? DynamicMappingsInput An array containing all available dynamic field and value mappings for this installation, provided by the...
---@field fieldFilters? ReadFilter[] Filters to apply when reading records during incremental reads and backfill.
---@field objectName string The name of the object to read from.
---@field schedule? string The schedule for reading the object, in cron syntax.
---@field selectedFieldMappings table<string, string> This is a map of mapToNames to field names. (A mapTo name is the name the builder wants to map a field to...
---@field selectedFields table<string, boolean> This is a map of field names to booleans indicating whether they should be read.
---@field selectedFieldsAuto? SelectedFieldsAutoConfig If selectedFieldsAuto is set to all, all fields will be read.
---@field selectedValueMappings? table<string, SelectedValueMappings> This is a map of field names to their value mappings.

---@class ReadFilter
---@field fieldName string The name of the field to filter on.
---@field operator "eq" The comparison operator.
---@field value? ReadFilterValue The value to filter on.

---The value to filter on.
---@alias ReadFilterValue any

---Instructs the client to open a URL (e.g. in a popup) to continue a custom auth flow, then resume by...
---@class RedirectResponse
---@field sessionId string The flow identifier to pass back to /custom-auth/connect once the provider redirects to the callback.
---@field url string The URL the client should open to continue the flow.

---@class Revision
---@field content Integration2
---@field createTime string The time the revision was created.
---@field id string The revision ID.
---@field specVersion string The spec version string.

---@class SearchOperators
---@field equals boolean

---@class SearchSupport
---@field operators SearchOperators

---If selectedFieldsAuto is set to all, all fields will be read.
---@alias SelectedFieldsAutoConfig "all"

---This is a map of values to their mappings.
---@alias SelectedValueMappings table<string, string>

---@class SignedUrl
---@field bucket string The bucket (will match the bucket part of the url).
---@field path string The path (will match the path part of the url).
---@field url string The signed URL to upload the zip file to.

---Additional options for string fields
---@class StringFieldOptions
---@field defaultValue? string Default value for the field
---@field length? integer Maximum length of the string field
---@field pattern? string Regex pattern that the string field value must match
---@field values? string[] List of allowed values for enum fields
---@field valuesRestricted? boolean Indicates if the field value must be limited to what's in Values

---@class SubscribeConfig
---@field objects table<string, SubscribeConfigObject>

---@class SubscribeConfigObject
---@field createEvent? ConfigCreateEvent
---@field deleteEvent? ConfigDeleteEvent
---@field destination string The name of the destination that the result should be sent to.
---@field inheritFieldsAndMappings boolean Whether to inherit fields and mappings from the read config.
---@field objectName string The name of the object to subscribe to.
---@field otherEvents? ConfigOtherEvents
---@field providerOptions? SubscribeProviderOptions Subscribe options that only apply to certain providers.
---@field updateEvent? ConfigUpdateEvent

---Subscribe options that only apply to certain providers.
---@class SubscribeProviderOptions
---@field quotaOptimization? QuotaOptimizationConfig Reduces API quota consumption for update events by filtering irrelevant change events at the source, so...

---Declares which auxiliary steps a provider requires to support subscriptions, beyond the per-object...
---@class SubscribeRequirements
---@field maintenance? boolean Whether the subscription requires periodic maintenance.
---@field postProcess? boolean Whether subscribing requires a third-party setup step that the connector instance itself cannot perform.
---@field registration? boolean Whether the provider requires a one-time registration step that is shared across all subscribed objects.
---@field subscribeByAPI? boolean Whether the provider supports programmatic subscription via API.

---@class SubscribeSupport
---@field create? boolean
---@field delete? boolean
---@field passThrough? boolean
---@field update? boolean

---The supported features for the provider.
---@class Support
---@field batchWrite? BatchWriteSupport
---@field bulkWrite BulkWriteSupport
---@field delete boolean
---@field proxy boolean
---@field read boolean
---@field search SearchSupport
---@field subscribe boolean
---@field subscribeSupport? SubscribeSupport
---@field write boolean

---Fields to be used to extract token metadata from the token response.
---@class TokenMetadataFields
---@field consumerRefField? string
---@field otherFields? TokenMetadataFieldsOtherFields Additional fields to extract and transform from the token response
---@field scopesField? string
---@field workspaceRefField? string

---Additional fields to extract and transform from the token response
---@alias TokenMetadataFieldsOtherFields TokenMetadataFieldsOtherFields.value[]

---@class TokenMetadataFieldsOtherFields.value
---@field capture? string A regex expression to capture the value that we need from the path.
---@field displayName string The human-readable name of the field
---@field name string The internal name of the field
---@field path string The path to the field in the token response (accepts dot notation for nested fields)

---@class Topic
---@field createTime string The time when the topic was created.
---@field id string The topic ID.
---@field name string The name of the topic.
---@field projectId string The Ampersand project ID.
---@field updateTime? string The time when the topic was last updated.

---@class TopicDestinationRoute
---@field createTime string The time when the topic destination route was created.
---@field destinationId string The ID of the destination.
---@field id string The topic destination route ID.
---@field projectId string The Ampersand project ID.
---@field topicId string The ID of the topic.

---Specify which fields to update in `updateMask` and provide corresponding values in `connection`.
---@class UpdateConnectionRequest
---@field connection ConnectionRequest
---@field updateMask ("providerWorkspaceRef"|"providerMetadata"|"apiKey"|"basicAuth"|"oauth2ClientCredentials"|"oauth2PasswordCredentials")[] Fields to update.

---@class UpdateEvent
---@field enabled? "always" If always, the integration will subscribe to update events by default.
---@field requiredWatchFields? string[]
---@field watchFieldsAuto? "all"|"selected" If `all`, the integration will watch all fields for updates.

---@class UpdateInstallationConfigContent
---@field provider? string The SaaS API that we are integrating with.
---@field proxy? BaseProxyConfig
---@field read? BaseReadConfig
---@field subscribe? BaseSubscribeConfig
---@field write? BaseWriteConfig

---Request payload for upserting metadata (fields only)
---@class UpsertMetadataRequest
---@field fields table<string, FieldDefinition[]> Maps object names to field definitions
---@field groupRef string The ID that your app uses to identify the group of users for this request.

---Response containing results for all created/updated fields
---@class UpsertMetadataResponse
---@field fields table<string, table<string, FieldUpsertResult>> Maps object name -> field name -> upsert result
---@field success boolean Indicates if the upsert operation was successful

---@alias ValueDefault ValueDefaultString|ValueDefaultInteger|ValueDefaultBoolean

---@class ValueDefaultBoolean
---@field applyOnUpdate? "always"|"never" Whether the default value should be applied when updating a record.
---@field value boolean The value to be used as a default.

---@class ValueDefaultInteger
---@field applyOnUpdate? "always"|"never" Whether the default value should be applied when updating a record.
---@field value integer The value to be used as a default.

---@class ValueDefaultString
---@field applyOnUpdate? "always"|"never" Whether the default value should be applied when updating a record.
---@field value string The value to be used as a default.

---Configuration to set default write values for object fields.
---@class ValueDefaults
---@field allowAnyFields? boolean If true, users can set default values for any field.

---Configuration for monitoring provider schema changes.
---@class WatchSchema
---@field allObjects WatchSchemaAllObjects Schema change event configuration for all objects in the integration.
---@field destination string The destination to send schema change notifications to.
---@field schedule? string Cron schedule for checking schema changes.

---Schema change event configuration for all objects in the integration.
---@class WatchSchemaAllObjects
---@field fieldChanged? FieldChangedEvent Configuration for detecting when fields are changed.
---@field fieldCreated? FieldCreatedEvent Configuration for detecting when new fields are created.
---@field fieldDeleted? FieldDeletedEvent Configuration for detecting when fields are deleted.

---Additional headers to add when Ampersand sends a webhook message
---@alias WebhookHeaders table<string, string>

---@class WriteConfig
---@field objects? table<string, WriteConfigObject>

---@class WriteConfigObject
---@field deletionSettings? DeletionSettings
---@field objectName string The name of the object to write to.
---@field selectedFieldSettings? table<string, FieldSetting> This is a map of field names to their settings.
---@field selectedValueDefaults? table<string, ValueDefault> This is a map of field names to default values.

---@class ReadRequest
---@field groupRef string The ID of the user group whose SaaS instance you'd like to read data from.
---@field mode "async" The mode of read operation.
---@field sinceTimestamp? string The UTC timestamp from which to read data.
---@field untilTimestamp? string The UTC timestamp until which to read data.

---@class ReadResultAsync
---@field operationId string The operation ID

---@class ResultDeliveryRequestBody
---@field groupRef string The ID of the user group whose SaaS instance you'd like to receive results from.
---@field pages integer The number of pages you are ready to receive from the group's SaaS instance.

---@class WriteRequest
---@field associations? table<string, any>[] To write associations to the record (for single record mode).
---@field autoBatchPolicy? WriteRequest.autoBatchPolicy The auto-batch policy for asynchronous single-record write operations.
---@field batch? WriteRequest.batch[] Write 1–100 records in one request.
---@field batchPolicy? WriteRequest.batchPolicy Policy settings for batch write operations.
---@field groupRef string The ID of the user group whose SaaS instance you'd like to write data to.
---@field headers? WriteRequest.headers[] To write headers to the record.
---@field mode? "synchronous"|"asynchronous" The mode of write operation.
---@field record? table<string, any> The record to write.
---@field retryPolicy? WriteRequest.retryPolicy The retry policy for an asynchronous write operation.
---@field type "create"|"update"|"delete" The type of write operation.

---The auto-batch policy for asynchronous single-record write operations.
---@class WriteRequest.autoBatchPolicy
---@field maxDelayMinutes integer The maximum time to wait before executing the batch, even if it hasn't reached 100 records.
---@field retryDeadlineHours? integer The maximum time to keep retrying the batch write operation if it fails.

---@class WriteRequest.batch
---@field associations? table<string, any>[] To write associations to the record.
---@field record table<string, any> The record to write

---Policy settings for batch write operations.
---@class WriteRequest.batchPolicy
---@field allOrNone? boolean When set to `true`, the entire batch will fail if any record in the batch fails.

---@class WriteRequest.headers
---@field key? string The key of the header
---@field value? string The value of the header

---The retry policy for an asynchronous write operation.
---@class WriteRequest.retryPolicy
---@field deadlineHours? integer The maximum number of hours to wait for the write operation to complete.

---@class WriteResponseBatch
---@field errors? WriteResponseBatch.errors[] Top-level errors returned by the provider, if any
---@field failureCount integer Number of records that failed
---@field operationId string The operation ID
---@field results? WriteResult[] Per-record results returned by the provider
---@field successCount integer Number of records that succeeded

---@class WriteResponseBatch.errors
---@field message? string Error summary message

---@class WriteResponseSingleFail
---@field errors WriteResponseSingleFail.errors[] Error messages resulted in failures
---@field operationId string The operation ID
---@field rawResponse? string The raw response from the provider, if available
---@field result? WriteResult
---@field warnings? WriteResponseSingleFail.warnings[] Warnings messages when some unexpected event happened, but not blocking failures

---@class WriteResponseSingleFail.errors
---@field message? string errors messages when some unexpected event happened, but write to provider was successful

---@class WriteResponseSingleFail.warnings
---@field message? string errors messages when some unexpected event happened, but write to provider was successful

---@class WriteResponseSingleSuccess
---@field operationId string The operation ID
---@field result? WriteResponseSingleSuccess.result The result of the write operation.

---The result of the write operation.
---@class WriteResponseSingleSuccess.result
---@field data? table<string, any> The data returned by the operation.
---@field recordId? string The ID of the record.
---@field success boolean Whether the operation was successful

---@class WriteResult
---@field data? table<string, any> The data returned by the operation.
---@field recordId? string The ID of the record.
---@field success boolean Whether the operation was successful

---@class FieldFilter
---@field fieldName string The name of the field to filter on.
---@field operator "eq" The operator to use for the filter.
---@field value string|boolean|number The value to filter on.

---@class SearchRequest
---@field fieldFilters FieldFilter[] The field filters to apply to the search.
---@field objectName string The name of the object to search.

---@class SearchResponse
---@field result? SearchResultEntry[]

---Each SearchResultEntry corresponds with a record in the SaaS provider (e.g. a Salesforce Account).
---@class SearchResultEntry
---@field fields? table<string, any> A key-value map of field names to values.
---@field mappedFields? table<string, any> A key-value map of mapped field names to values.
---@field raw? table<string, any> The raw data of the record, exactly as it is returned by the SaaS API.

---An associated object that is attached to the association event in the webhook message.
---@class AssociatedObject
---@field fields? table<string, any> A key-value map of field names to values.
---@field id string The ID of the associated record.
---@field mappedFields? table<string, any> A key-value map of mapped field names to values.
---@field objectName? string The name of the object.
---@field raw? table<string, any> The raw data of the record, exactly as it is returned by the SaaS API.
---@field rawObjectName? string If there is a mapping for this object, this is the name used by the SaaS provider API.

---@class Association
---@field fields? table<string, any> A key-value map of field names to values.
---@field id? string The ID of the associated record.
---@field mappedFields? table<string, any> A key-value map of mapped field names to values.
---@field objectName? string The name of the associated object.
---@field providerAssociationMetadata? table<string, any> Provider-specific metadata about the association type (e.g. HubSpot association category, typeId, and label).
---@field raw? table<string, any> The raw data of the record, exactly as it is returned by the SaaS API.
---@field rawObjectName? string The name of the associated object as it is used by the SaaS provider API.

---Each ResultEntry corresponds with a record in the SaaS provider (e.g. a Salesforce Account).
---@class ResultEntry
---@field associations? table<string, Association[]> A key-value map of association names to lists of associated record IDs.
---@field fields? table<string, any> A key-value map of field names to values.
---@field fieldsUpdated? string[] A list of field names that were updated.
---@field fromRecord? AssociatedObject An associated object that is attached to the association event in the webhook message.
---@field id? string The ID of the record. this field will be populated in case of delete event.
---@field mappedFields? table<string, any> A key-value map of mapped field names to values.
---@field providerEventType? string The type of event that triggered the message, as defined by the SaaS provider.
---@field raw? table<string, any> The raw data of the record, exactly as it is returned by the SaaS API.
---@field rawEvent? table<string, any> The raw event data from the SaaS provider.
---@field subscribeEventType? "create"|"update"|"associationUpdate"|"delete"|"other" The type of event that triggered the message, this is normalized across all providers.
---@field toRecord? AssociatedObject An associated object that is attached to the association event in the webhook message.

---Information about the result contained in the webhook message.
---@class ResultInfo
---@field downloadUrl? string The URL to download the result.
---@field numRecords integer The number of records in the result.
---@field type "url"|"inline" The type of the result.

---@class WebhookMessage
---@field action string The Ampersand action that triggered the webhook.
---@field consumerName string The name of the consumer that triggered the webhook.
---@field consumerRef string The reference ID of the consumer that triggered the webhook.
---@field groupName string The display name of the group of users.
---@field groupRef string The ID that your app uses to identify the group of users.
---@field installationId string The ID of the Ampersand installation.
---@field installationUpdateTime string The timestamp of the last update to the installation.
---@field objectName string The name of the object.
---@field operationId? string The ID of the operation that triggered the webhook.
---@field operationTime? string The timestamp when the operation was performed.
---@field projectId string The Ampersand Project ID.
---@field provider string The SaaS API that we are integrating with.
---@field rawObjectName? string If there is a mapping for this object, this is the name used by the SaaS provider API.
---@field readType? "backfill"|"scheduled"|"triggered" The type of read operation.
---@field result? ResultEntry[]
---@field resultInfo ResultInfo Information about the result contained in the webhook message.
---@field workspace? string When available, the workspace ID of the SaaS provider.

---@class ampersand.resource.api_keys
local api_keys = {}

---@class ListApiKeysFields: ampersand.CallOptions
---@field active? boolean

---Lists the API keys of a project; active=true leaves out inactive ones. `GET /projects/{projectIdOrName}/api-keys`
---@overload fun(self: ampersand.resource.api_keys, projectIdOrName: string, fields?: ListApiKeysFields, options?: ampersand.CallOptions): ApiKey[]|nil, ampersand.Info|ampersand.Error|nil
---@param fields? ListApiKeysFields
---@param options? ampersand.CallOptions
---@return ApiKey[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function api_keys:list(fields, options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param fields? ListApiKeysFields
---@param options? ampersand.CallOptions
---@return fun(): ApiKey|nil iterator
function api_keys:each(fields, options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param fields? ListApiKeysFields
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function api_keys:stream(fields, options) end

---Iterates over whole pages; raises the error object.
---@param fields? ListApiKeysFields
---@param options? ampersand.CallOptions
---@return fun(): ApiKey[]|nil iterator
function api_keys:pages(fields, options) end

---Gets the first element; nil if there is none.
---@param fields? ListApiKeysFields
---@param options? ampersand.CallOptions
---@return ApiKey|nil value
---@return ampersand.Info|ampersand.Error|nil info
function api_keys:first(fields, options) end

---Counts the elements without making tables.
---@param fields? ListApiKeysFields
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function api_keys:count(fields, options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: ApiKey): boolean
---@return ampersand.resource.api_keys
function api_keys:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.api_keys
function api_keys:select(paths) end

---Gets one API key. `GET /projects/{projectIdOrName}/api-keys/{apiKey}`
---@overload fun(self: ampersand.resource.api_keys, projectIdOrName: string, apiKey: string, options?: ampersand.CallOptions): ApiKey|nil, ampersand.Info|ampersand.Error|nil
---@param apiKey string
---@param options? ampersand.CallOptions
---@return ApiKey|nil value
---@return ampersand.Info|ampersand.Error|nil info
function api_keys:get(apiKey, options) end

---@class CreateApiKeyFields
---@field label string A short name for the API key.
---@field scopes? ApiKeyScopes The scopes for the API key.

---Creates an API key for a project, optionally limited to some scopes. `POST /projects/{projectIdOrName}/api-keys`
---@overload fun(self: ampersand.resource.api_keys, projectIdOrName: string, fields: CreateApiKeyFields, options?: ampersand.CallOptions): ApiKey|nil, ampersand.Info|ampersand.Error|nil
---@param fields CreateApiKeyFields
---@param options? ampersand.CallOptions
---@return ApiKey|nil value
---@return ampersand.Info|ampersand.Error|nil info
function api_keys:create(fields, options) end

---@class UpdateApiKeyFields
---@field apiKey UpdateApiKeyFields.apiKey
---@field updateMask string[] Array of field paths specifying which fields to update.

---@class UpdateApiKeyFields.apiKey
---@field active? boolean Whether the API key is active.
---@field label? string A short name for the API key.
---@field scopes? ApiKeyScopes The scopes for the API key.

---Updates the label or the scopes of an API key, or activates or deactivates it. `PATCH /projects/{projectIdOrName}/api-keys/{apiKey}`
---@overload fun(self: ampersand.resource.api_keys, projectIdOrName: string, apiKey: string, fields: UpdateApiKeyFields, options?: ampersand.CallOptions): ApiKey|nil, ampersand.Info|ampersand.Error|nil
---@param apiKey string
---@param fields UpdateApiKeyFields
---@param options? ampersand.CallOptions
---@return ApiKey|nil value
---@return ampersand.Info|ampersand.Error|nil info
function api_keys:update(apiKey, fields, options) end

---Deletes an API key. `DELETE /projects/{projectIdOrName}/api-keys/{apiKey}`
---@overload fun(self: ampersand.resource.api_keys, projectIdOrName: string, apiKey: string, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param apiKey string
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function api_keys:delete(apiKey, options) end

---@class ampersand.resource.billing_accounts
local billing_accounts = {}

---Gets the billing account of an organization. `GET /orgs/{orgId}/billingAccount`
---@overload fun(self: ampersand.resource.billing_accounts, orgId: string, options?: ampersand.CallOptions): BillingAccount|nil, ampersand.Info|ampersand.Error|nil
---@param options? ampersand.CallOptions
---@return BillingAccount|nil value
---@return ampersand.Info|ampersand.Error|nil info
function billing_accounts:get(options) end

---@class BillingAccountSession
---@field url string The URL to redirect to in order to start the portal session.

---@class CreateBillingAccountSessionFields
---@field redirectUrl string The URL to redirect to once a portal session is exited.
---@field timeout? integer The number of seconds before the portal session expires.

---Creates a session of the billing portal, with the URL to return to afterwards. `POST /billingAccounts/{billingAccountId}/portalSession`
---@param billingAccountId string
---@param fields CreateBillingAccountSessionFields
---@param options? ampersand.CallOptions
---@return BillingAccountSession|nil value
---@return ampersand.Info|ampersand.Error|nil info
function billing_accounts:create_session(billingAccountId, fields, options) end

---@class ampersand.resource.claimed_domains
local claimed_domains = {}

---Lists the email domains that an organization has claimed. `GET /orgs/{orgId}/claimed-domains`
---@overload fun(self: ampersand.resource.claimed_domains, orgId: string, options?: ampersand.CallOptions): ClaimedDomainResponse[]|nil, ampersand.Info|ampersand.Error|nil
---@param options? ampersand.CallOptions
---@return ClaimedDomainResponse[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function claimed_domains:list(options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): ClaimedDomainResponse|nil iterator
function claimed_domains:each(options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function claimed_domains:stream(options) end

---Iterates over whole pages; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): ClaimedDomainResponse[]|nil iterator
function claimed_domains:pages(options) end

---Gets the first element; nil if there is none.
---@param options? ampersand.CallOptions
---@return ClaimedDomainResponse|nil value
---@return ampersand.Info|ampersand.Error|nil info
function claimed_domains:first(options) end

---Counts the elements without making tables.
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function claimed_domains:count(options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: ClaimedDomainResponse): boolean
---@return ampersand.resource.claimed_domains
function claimed_domains:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.claimed_domains
function claimed_domains:select(paths) end

---@class CheckClaimedDomainFields: ampersand.CallOptions
---@field domain string

---Shows who has claimed a domain, to owners of that organization and users with such an address. `GET /claimed-domains`
---@param fields CheckClaimedDomainFields
---@param options? ampersand.CallOptions
---@return ClaimedDomainResponse|nil value
---@return ampersand.Info|ampersand.Error|nil info
function claimed_domains:check(fields, options) end

---@class ClaimDomainFields
---@field domain string Accepts an email address, domain name, or URL.
---@field parentId string ID of the parent entity claiming the domain
---@field parentType string Type of the parent entity

---Claims an email domain for an organization; takes a domain, a URL or an email address. `POST /claimed-domains`
---@param fields ClaimDomainFields
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function claimed_domains:claim(fields, options) end

---@class ampersand.resource.connections
local connections = {}

---@class ListConnectionsFields: ampersand.CallOptions
---@field consumerRef? string
---@field groupRef? string
---@field provider? string

---Lists the connections of a project, optionally of one provider, group or consumer. `GET /projects/{projectIdOrName}/connections`
---@overload fun(self: ampersand.resource.connections, projectIdOrName: string, fields?: ListConnectionsFields, options?: ampersand.CallOptions): Connection[]|nil, ampersand.Info|ampersand.Error|nil
---@param fields? ListConnectionsFields
---@param options? ampersand.CallOptions
---@return Connection[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function connections:list(fields, options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param fields? ListConnectionsFields
---@param options? ampersand.CallOptions
---@return fun(): Connection|nil iterator
function connections:each(fields, options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param fields? ListConnectionsFields
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function connections:stream(fields, options) end

---Iterates over whole pages; raises the error object.
---@param fields? ListConnectionsFields
---@param options? ampersand.CallOptions
---@return fun(): Connection[]|nil iterator
function connections:pages(fields, options) end

---Gets the first element; nil if there is none.
---@param fields? ListConnectionsFields
---@param options? ampersand.CallOptions
---@return Connection|nil value
---@return ampersand.Info|ampersand.Error|nil info
function connections:first(fields, options) end

---Counts the elements without making tables.
---@param fields? ListConnectionsFields
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function connections:count(fields, options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: Connection): boolean
---@return ampersand.resource.connections
function connections:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.connections
function connections:select(paths) end

---@class GetConnectionFields: ampersand.CallOptions
---@field includeCreds? boolean
---@field includeRefreshToken? boolean
---@field refresh? "force"|"ifExpired"

---Gets a connection, optionally with its tokens; refresh=force replaces the access token. `GET /projects/{projectIdOrName}/connections/{connectionId}`
---@overload fun(self: ampersand.resource.connections, projectIdOrName: string, connectionId: string, fields?: GetConnectionFields, options?: ampersand.CallOptions): Connection|nil, ampersand.Info|ampersand.Error|nil
---@param connectionId string
---@param fields? GetConnectionFields
---@param options? ampersand.CallOptions
---@return Connection|nil value
---@return ampersand.Info|ampersand.Error|nil info
function connections:get(connectionId, fields, options) end

---@class GenerateConnectionFields
---@field apiKey? string The API key to use for the connection.
---@field basicAuth? GenerateConnectionFields.basicAuth
---@field consumerName? string The name of the consumer that has access to this installation.
---@field consumerRef string The consumer reference.
---@field customAuth? table<string, any> Values used for custom auth input variables.
---@field groupName? string The name of the user group that has access to this installation.
---@field groupRef string The ID of the user group that has access to this installation.
---@field oauth2AuthorizationCode? Oauth2AuthorizationCode
---@field oauth2ClientCredentials? GenerateConnectionFields.oauth2ClientCredentials
---@field oauth2PasswordCredentials? GenerateConnectionFields.oauth2PasswordCredentials
---@field provider string The provider name (e.g. "salesforce", "hubspot")
---@field providerMetadata? ProviderMetadata
---@field providerWorkspaceRef? string The ID of the provider workspace that this connection belongs to.

---@class GenerateConnectionFields.basicAuth
---@field password string The password to use for the connection.
---@field username string The username to use for the connection.

---@class GenerateConnectionFields.oauth2ClientCredentials
---@field clientId string The client ID to use for the connection.
---@field clientSecret string The client secret to use for the connection.
---@field scopes? string[] The scopes for the tokens.

---@class GenerateConnectionFields.oauth2PasswordCredentials
---@field clientId string The client ID to use for the connection.
---@field clientSecret string The client secret to use for the connection.
---@field password string The password to use for the connection.
---@field scopes? string[] The scopes for the tokens.
---@field username string The username to use for the connection.

---Creates a connection from credentials you have: API key, password, OAuth client or token. `POST /projects/{projectIdOrName}/connections:generate`
---@overload fun(self: ampersand.resource.connections, projectIdOrName: string, fields?: GenerateConnectionFields, options?: ampersand.CallOptions): Connection|nil, ampersand.Info|ampersand.Error|nil
---@param fields? GenerateConnectionFields
---@param options? ampersand.CallOptions
---@return Connection|nil value
---@return ampersand.Info|ampersand.Error|nil info
function connections:create(fields, options) end

---@class UpdateConnectionFields
---@field connection ConnectionRequest
---@field updateMask ("providerWorkspaceRef"|"providerMetadata"|"apiKey"|"basicAuth"|"oauth2ClientCredentials"|"oauth2PasswordCredentials")[] Fields to update.

---Replaces the credentials or metadata of a connection that updateMask names. `PATCH /projects/{projectIdOrName}/connections/{connectionId}`
---@overload fun(self: ampersand.resource.connections, projectIdOrName: string, connectionId: string, fields: UpdateConnectionFields, options?: ampersand.CallOptions): Connection|nil, ampersand.Info|ampersand.Error|nil
---@param connectionId string
---@param fields UpdateConnectionFields
---@param options? ampersand.CallOptions
---@return Connection|nil value
---@return ampersand.Info|ampersand.Error|nil info
function connections:update(connectionId, fields, options) end

---Deletes a connection with the credentials that it holds. `DELETE /projects/{projectIdOrName}/connections/{connectionId}`
---@overload fun(self: ampersand.resource.connections, projectIdOrName: string, connectionId: string, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param connectionId string
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function connections:delete(connectionId, options) end

---@class CustomAuthConnectFields
---@field callbackParams? table<string, string> The query/body params the provider sent to the callback, forwarded to resume the flow.
---@field consumerName? string The display name for the consumer.
---@field consumerRef? string The ID that your app uses to identify the user whose SaaS credential will be used.
---@field customAuth? table<string, any> The consumer-supplied custom auth inputs (keyed by CustomAuthInput.name).
---@field groupName? string The display name for the group.
---@field groupRef? string Your application's identifier for the organization or workspace that this connection belongs to.
---@field projectIdOrName string The Ampersand project ID or project name.
---@field provider? string The provider that this app connects to.
---@field providerAppId? string ID of the provider app.
---@field providerMetadata? ProviderMetadata Additional provider-specific metadata collected from the user.
---@field sessionId? string Identifies an in-progress flow to resume after a redirect.

---Starts or continues a multi-step login; repeat it until the answer contains a connection. `POST /custom-auth/connect`
---@param fields CustomAuthConnectFields
---@param options? ampersand.CallOptions
---@return CustomAuthConnectResponse|nil value
---@return ampersand.Info|ampersand.Error|nil info
function connections:custom_auth_connect(fields, options) end

---@class ampersand.resource.consumers
local consumers = {}

---@class CreateConsumerFields
---@field consumerName string
---@field consumerRef string

---Registers a consumer, an end user of your application, by your own id. No longer in the vendor's documents. `POST /projects/{projectIdOrName}/consumers`
---@overload fun(self: ampersand.resource.consumers, projectIdOrName: string, fields: CreateConsumerFields, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param fields CreateConsumerFields
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function consumers:create(fields, options) end

---@class ampersand.resource.destinations
local destinations = {}

---Lists the destinations of a project. `GET /projects/{projectIdOrName}/destinations`
---@overload fun(self: ampersand.resource.destinations, projectIdOrName: string, options?: ampersand.CallOptions): Destination[]|nil, ampersand.Info|ampersand.Error|nil
---@param options? ampersand.CallOptions
---@return Destination[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function destinations:list(options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): Destination|nil iterator
function destinations:each(options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function destinations:stream(options) end

---Iterates over whole pages; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): Destination[]|nil iterator
function destinations:pages(options) end

---Gets the first element; nil if there is none.
---@param options? ampersand.CallOptions
---@return Destination|nil value
---@return ampersand.Info|ampersand.Error|nil info
function destinations:first(options) end

---Counts the elements without making tables.
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function destinations:count(options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: Destination): boolean
---@return ampersand.resource.destinations
function destinations:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.destinations
function destinations:select(paths) end

---@class GetDestinationFields: ampersand.CallOptions
---@field includeSecrets? boolean
---@field rotate? boolean

---Gets a destination, optionally with its secrets; rotate=true replaces them. `GET /projects/{projectIdOrName}/destinations/{destination}`
---@overload fun(self: ampersand.resource.destinations, projectIdOrName: string, destination: string, fields?: GetDestinationFields, options?: ampersand.CallOptions): DestinationWithSecrets|nil, ampersand.Info|ampersand.Error|nil
---@param destination string
---@param fields? GetDestinationFields
---@param options? ampersand.CallOptions
---@return DestinationWithSecrets|nil value
---@return ampersand.Info|ampersand.Error|nil info
function destinations:get(destination, fields, options) end

---@class CreateDestinationFields
---@field metadata CreateDestinationFields.metadata
---@field name string Name for the new destination.
---@field secrets? CreateDestinationFields.secrets Secrets for the destination.
---@field type "webhook"|"kinesis"|"s3"|"slack"|"clickhouse"|"snowflake"|"bigquery"|"redshift"|"sqs"|"pubsub"|"rabbitmq"|"azureservicebus" The type of the destination.

---@class CreateDestinationFields.metadata
---@field account? string The storage account name for the `azureblob` destination.
---@field accountIdentifier? string The Snowflake account identifier for the `snowflake` destination.
---@field batchSize? integer For warehouse destinations (`clickhouse`, `snowflake`, `bigquery`, `redshift`), the number of rows to...
---@field bucket? string The name of the S3 bucket to write objects to.
---@field clusterIdentifier? string The Redshift provisioned cluster identifier for the `redshift` destination.
---@field container? string The blob container name for the `azureblob` destination.
---@field database? string The database name for the `clickhouse` destination.
---@field datasetId? string The BigQuery dataset ID for the `bigquery` destination.
---@field dbName? string The database name (`snowflake`, `redshift`).
---@field dbUser? string The database user for the `redshift` destination.
---@field endpointUrl? string The endpoint URL for the `kinesis` stream, or the optional custom endpoint URL for the `sqs` destination.
---@field exchange? string The exchange to publish to for the `rabbitmq` destination.
---@field headers? WebhookHeaders Additional headers to add when Ampersand sends a webhook message
---@field keyTemplate? string The template for the S3 object key to use when writing objects (a JMESPath template).
---@field maxWaitSecs? integer For warehouse destinations, the maximum number of seconds to wait before flushing a batch (whichever comes...
---@field name? string The queue or topic name for the `azureservicebus` destination.
---@field partitionKeyTemplate? string The template for the partition key (a JMESPath template).
---@field projectId? string The Google Cloud project ID (`bigquery`, `pubsub`).
---@field queueUrl? string The SQS queue URL for the `sqs` destination.
---@field region? string The AWS region where the Kinesis or S3 destination is hosted.
---@field schemaName? string The schema name (`snowflake`, `redshift`).
---@field serverUrl? string The AMQP server URL for the `rabbitmq` destination.
---@field storageClass? string The S3 storage class for written objects.
---@field streamName? string The name of the Kinesis stream to send events to.
---@field tableId? string The BigQuery table ID for the `bigquery` destination.
---@field tableName? string The destination table name (`clickhouse`, `snowflake`, `redshift`).
---@field tls? boolean Whether to connect over TLS.
---@field topicId? string The Pub/Sub topic ID for the `pubsub` destination.
---@field url? string Webhook URL, must start with "https://".
---@field userId? string The user ID for the `snowflake` destination.
---@field username? string The username for the `clickhouse` destination.
---@field workgroupName? string The Redshift Serverless workgroup name for the `redshift` destination.

---Secrets for the destination.
---@class CreateDestinationFields.secrets
---@field accessKey? string The account access key for the `azureblob` destination.
---@field accessKeyId? string The AWS access key ID for the `redshift` destination.
---@field awsKeyId? string The AWS access key ID for the `kinesis`, `s3`, and `sqs` destinations.
---@field awsSecretKey? string The AWS secret access key for the `kinesis`, `s3`, and `sqs` destinations.
---@field awsSessionToken? string The optional AWS session token for the `kinesis`, `s3`, and `sqs` destinations.
---@field connectionString? string The connection string for the `azureservicebus` destination.
---@field credentials? string The service-account credentials JSON for the `bigquery`, `gcs`, and `pubsub` destinations.
---@field password? string The password for the `clickhouse` and `rabbitmq` destinations.
---@field privateKey? string The PEM-encoded RSA private key for the `snowflake` destination.
---@field secretAccessKey? string The AWS secret access key for the `redshift` destination.
---@field username? string The username for the `rabbitmq` destination.

---Creates a destination for data and events, such as a webhook, a queue or a warehouse. `POST /projects/{projectIdOrName}/destinations`
---@overload fun(self: ampersand.resource.destinations, projectIdOrName: string, fields: CreateDestinationFields, options?: ampersand.CallOptions): Destination|nil, ampersand.Info|ampersand.Error|nil
---@param fields CreateDestinationFields
---@param options? ampersand.CallOptions
---@return Destination|nil value
---@return ampersand.Info|ampersand.Error|nil info
function destinations:create(fields, options) end

---@class UpdateDestinationFields
---@field destination UpdateDestinationFields.destination
---@field updateMask string[] Array of field paths specifying which fields to update.

---@class UpdateDestinationFields.destination
---@field metadata? UpdateDestinationFields.destination.metadata
---@field name? string User-friendly name for the destination
---@field secrets? UpdateDestinationFields.destination.secrets Secrets for the destination.

---@class UpdateDestinationFields.destination.metadata
---@field account? string The storage account name for the `azureblob` destination.
---@field accountIdentifier? string The Snowflake account identifier for the `snowflake` destination.
---@field batchSize? integer For warehouse destinations, rows to buffer before flushing a batch (default 1000).
---@field bucket? string The name of the S3 bucket to write objects to.
---@field clusterIdentifier? string The Redshift provisioned cluster identifier for the `redshift` destination.
---@field container? string The blob container name for the `azureblob` destination.
---@field database? string The database name for the `clickhouse` destination.
---@field datasetId? string The BigQuery dataset ID for the `bigquery` destination.
---@field dbName? string The database name (`snowflake`, `redshift`).
---@field dbUser? string The database user for the `redshift` destination.
---@field endpointUrl? string The endpoint URL for the `kinesis` stream, or the optional custom endpoint URL for the `sqs` destination.
---@field exchange? string The exchange to publish to for the `rabbitmq` destination.
---@field headers? WebhookHeaders Additional headers to add when Ampersand sends a webhook message
---@field keyTemplate? string The template for the S3 object key to use when writing objects (a JMESPath template).
---@field maxWaitSecs? integer For warehouse destinations, max seconds before flushing a batch (default 30).
---@field name? string The queue or topic name for the `azureservicebus` destination.
---@field partitionKeyTemplate? string The template for the partition key (a JMESPath template).
---@field projectId? string The Google Cloud project ID (`bigquery`, `pubsub`).
---@field queueUrl? string The SQS queue URL for the `sqs` destination.
---@field region? string The AWS region where the Kinesis or S3 destination is hosted.
---@field schemaName? string The schema name (`snowflake`, `redshift`).
---@field serverUrl? string The AMQP server URL for the `rabbitmq` destination.
---@field storageClass? string The S3 storage class for written objects.
---@field streamName? string The name of the Kinesis stream to send events to.
---@field tableId? string The BigQuery table ID for the `bigquery` destination.
---@field tableName? string The destination table name (`clickhouse`, `snowflake`, `redshift`).
---@field tls? boolean Whether to connect over TLS.
---@field topicId? string The Pub/Sub topic ID for the `pubsub` destination.
---@field url? string Webhook URL
---@field userId? string The user ID for the `snowflake` destination.
---@field username? string The username for the `clickhouse` destination.
---@field workgroupName? string The Redshift Serverless workgroup name for the `redshift` destination.

---Secrets for the destination.
---@class UpdateDestinationFields.destination.secrets
---@field accessKey? string The account access key for the `azureblob` destination.
---@field accessKeyId? string The AWS access key ID for the `redshift` destination.
---@field awsKeyId? string The AWS access key ID for the `kinesis`, `s3`, and `sqs` destinations.
---@field awsSecretKey? string The AWS secret access key for the `kinesis`, `s3`, and `sqs` destinations.
---@field awsSessionToken? string The optional AWS session token for the `kinesis`, `s3`, and `sqs` destinations.
---@field connectionString? string The connection string for the `azureservicebus` destination.
---@field credentials? string The service-account credentials JSON for the `bigquery`, `gcs`, and `pubsub` destinations.
---@field password? string The password for the `clickhouse` and `rabbitmq` destinations.
---@field privateKey? string The PEM-encoded RSA private key for the `snowflake` destination.
---@field secretAccessKey? string The AWS secret access key for the `redshift` destination.
---@field username? string The username for the `rabbitmq` destination.

---Updates the name, metadata or secrets of a destination that updateMask names. `PATCH /projects/{projectIdOrName}/destinations/{destination}`
---@overload fun(self: ampersand.resource.destinations, projectIdOrName: string, destination: string, fields: UpdateDestinationFields, options?: ampersand.CallOptions): Destination|nil, ampersand.Info|ampersand.Error|nil
---@param destination string
---@param fields UpdateDestinationFields
---@param options? ampersand.CallOptions
---@return Destination|nil value
---@return ampersand.Info|ampersand.Error|nil info
function destinations:update(destination, fields, options) end

---Deletes a destination. `DELETE /projects/{projectIdOrName}/destinations/{destination}`
---@overload fun(self: ampersand.resource.destinations, projectIdOrName: string, destination: string, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param destination string
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function destinations:delete(destination, options) end

---@class ampersand.resource.event_topic_routes
local event_topic_routes = {}

---@class ListEventTopicRoutesFields: ampersand.CallOptions
---@field eventType? NotificationEventType The type of notification event.
---@field topicId? string

---Lists which event types are routed to which topics. `GET /projects/{projectIdOrName}/notification-event-topic-routes`
---@overload fun(self: ampersand.resource.event_topic_routes, projectIdOrName: string, fields?: ListEventTopicRoutesFields, options?: ampersand.CallOptions): NotificationEventTopicRoute[]|nil, ampersand.Info|ampersand.Error|nil
---@param fields? ListEventTopicRoutesFields
---@param options? ampersand.CallOptions
---@return NotificationEventTopicRoute[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function event_topic_routes:list(fields, options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param fields? ListEventTopicRoutesFields
---@param options? ampersand.CallOptions
---@return fun(): NotificationEventTopicRoute|nil iterator
function event_topic_routes:each(fields, options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param fields? ListEventTopicRoutesFields
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function event_topic_routes:stream(fields, options) end

---Iterates over whole pages; raises the error object.
---@param fields? ListEventTopicRoutesFields
---@param options? ampersand.CallOptions
---@return fun(): NotificationEventTopicRoute[]|nil iterator
function event_topic_routes:pages(fields, options) end

---Gets the first element; nil if there is none.
---@param fields? ListEventTopicRoutesFields
---@param options? ampersand.CallOptions
---@return NotificationEventTopicRoute|nil value
---@return ampersand.Info|ampersand.Error|nil info
function event_topic_routes:first(fields, options) end

---Counts the elements without making tables.
---@param fields? ListEventTopicRoutesFields
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function event_topic_routes:count(fields, options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: NotificationEventTopicRoute): boolean
---@return ampersand.resource.event_topic_routes
function event_topic_routes:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.event_topic_routes
function event_topic_routes:select(paths) end

---@class CreateEventTopicRouteFields
---@field eventType NotificationEventType The type of notification event.
---@field topicId string The ID of the topic to route events to.

---Routes notifications of one event type to a topic. `POST /projects/{projectIdOrName}/notification-event-topic-routes`
---@overload fun(self: ampersand.resource.event_topic_routes, projectIdOrName: string, fields: CreateEventTopicRouteFields, options?: ampersand.CallOptions): NotificationEventTopicRoute|nil, ampersand.Info|ampersand.Error|nil
---@param fields CreateEventTopicRouteFields
---@param options? ampersand.CallOptions
---@return NotificationEventTopicRoute|nil value
---@return ampersand.Info|ampersand.Error|nil info
function event_topic_routes:create(fields, options) end

---Stops routing notifications of an event type to a topic. `DELETE /projects/{projectIdOrName}/notification-event-topic-routes/{routeId}`
---@overload fun(self: ampersand.resource.event_topic_routes, projectIdOrName: string, routeId: string, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param routeId string
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function event_topic_routes:delete(routeId, options) end

---@class ampersand.resource.groups
local groups = {}

---@class CreateGroupFields
---@field groupName string
---@field groupRef string

---Registers a group, a customer of yours, by your own id. No longer in the vendor's documents. `POST /projects/{projectIdOrName}/groups`
---@overload fun(self: ampersand.resource.groups, projectIdOrName: string, fields: CreateGroupFields, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param fields CreateGroupFields
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function groups:create(fields, options) end

---@class ampersand.resource.installations
local installations = {}

---@class ListInstallationsFields: ampersand.CallOptions
---@field groupRef? string

---Lists the installations of one integration with connection, config and health. `GET /projects/{projectIdOrName}/integrations/{integrationId}/installations`
---@overload fun(self: ampersand.resource.installations, integrationId: string, fields?: ListInstallationsFields, options?: ampersand.CallOptions): Installation[]|nil, ampersand.Info|ampersand.Error|nil
---@param fields? ListInstallationsFields
---@param options? ampersand.CallOptions
---@return Installation[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function installations:list(fields, options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param fields? ListInstallationsFields
---@param options? ampersand.CallOptions
---@return fun(): Installation|nil iterator
function installations:each(fields, options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param fields? ListInstallationsFields
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function installations:stream(fields, options) end

---Iterates over whole pages; raises the error object.
---@param fields? ListInstallationsFields
---@param options? ampersand.CallOptions
---@return fun(): Installation[]|nil iterator
function installations:pages(fields, options) end

---Gets the first element; nil if there is none.
---@param fields? ListInstallationsFields
---@param options? ampersand.CallOptions
---@return Installation|nil value
---@return ampersand.Info|ampersand.Error|nil info
function installations:first(fields, options) end

---Counts the elements without making tables.
---@param fields? ListInstallationsFields
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function installations:count(fields, options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: Installation): boolean
---@return ampersand.resource.installations
function installations:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.installations
function installations:select(paths) end

---Returns a view of the list over all integrations of the project. `GET /projects/{projectIdOrName}/installations`
---@return ampersand.resource.installations
function installations:in_project() end

---Gets one installation with its connection, config and health. `GET /projects/{projectIdOrName}/integrations/{integrationId}/installations/{installationId}`
---@overload fun(self: ampersand.resource.installations, integrationId: string, installationId: string, options?: ampersand.CallOptions): Installation|nil, ampersand.Info|ampersand.Error|nil
---@param installationId string
---@param options? ampersand.CallOptions
---@return Installation|nil value
---@return ampersand.Info|ampersand.Error|nil info
function installations:get(installationId, options) end

---@class CreateInstallationFields
---@field config CreateInstallationFields.config The config of the installation.
---@field connectionId? string The ID of the SaaS connection tied to this installation.
---@field groupRef string The ID of the user group that has access to this installation.
---@field skipSampling? boolean

---The config of the installation.
---@class CreateInstallationFields.config
---@field content ConfigContent The content of the config.
---@field createdBy? string The person who created the config, in the format of "consumer:{consumer-id}", "builder:{builder-id}", or...
---@field revisionId? string Deprecated: This field will be automatically set to the latest revision.

---Installs an integration for a group, which must already have a connection. `POST /projects/{projectIdOrName}/integrations/{integrationId}/installations`
---@overload fun(self: ampersand.resource.installations, integrationId: string, fields: CreateInstallationFields, options?: ampersand.CallOptions): Installation|nil, ampersand.Info|ampersand.Error|nil
---@param fields CreateInstallationFields
---@param options? ampersand.CallOptions
---@return Installation|nil value
---@return ampersand.Info|ampersand.Error|nil info
function installations:create(fields, options) end

---@class UpdateInstallationFields
---@field installation UpdateInstallationFields.installation The installation fields to update.
---@field skipSampling? boolean
---@field updateMask string[] Array of field paths specifying which fields to update.

---The installation fields to update.
---@class UpdateInstallationFields.installation
---@field config? UpdateInstallationFields.installation.config The config of the installation.
---@field connectionId? string The ID of the SaaS connection tied to this installation.

---The config of the installation.
---@class UpdateInstallationFields.installation.config
---@field content? UpdateInstallationConfigContent The content of the config.
---@field createdBy? string The person who created the config, in the format of "consumer:{consumer-id}" or "builder:{builder-id}".
---@field revisionId? string Deprecated: This field will be automatically set to the latest revision ID.

---Replaces the parts of an installation that updateMask names; an object is replaced as a whole. `PATCH /projects/{projectIdOrName}/integrations/{integrationId}/installations/{installationId}`
---@overload fun(self: ampersand.resource.installations, integrationId: string, installationId: string, fields: UpdateInstallationFields, options?: ampersand.CallOptions): Installation|nil, ampersand.Info|ampersand.Error|nil
---@param installationId string
---@param fields UpdateInstallationFields
---@param options? ampersand.CallOptions
---@return Installation|nil value
---@return ampersand.Info|ampersand.Error|nil info
function installations:update(installationId, fields, options) end

---Deletes an installation, and its connection if no other installation uses it. `DELETE /projects/{projectIdOrName}/integrations/{integrationId}/installations/{installationId}`
---@overload fun(self: ampersand.resource.installations, integrationId: string, installationId: string, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param installationId string
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function installations:delete(installationId, options) end

---@class DeliverResultsFields
---@field groupRef string The ID of the user group whose SaaS instance you'd like to receive results from.
---@field pages integer The number of pages you are ready to receive from the group's SaaS instance.

---Requests pages of read results that are ready for a group; deprecated: use installations:read. `POST /projects/{projectIdOrName}/integrations/{integrationId}/objects/{objectName}:deliverResults`
---@overload fun(self: ampersand.resource.installations, integrationId: string, objectName: string, fields: DeliverResultsFields, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param objectName string
---@param fields DeliverResultsFields
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function installations:deliver_results(objectName, fields, options) end

---@class PatchObjectConfigContentFields
---@field action "read"|"subscribe"|"write" The action type for the object config (read, subscribe, or write).
---@field changes JSONPatchOperation[] Array of JSON Patch operations to apply.
---@field groupRef? string The ID of the user group that has access to this installation.
---@field installationId? string The installation ID.

---Changes the config of one object of an installation by JSON Patch. `PATCH /projects/{projectIdOrName}/integrations/{integrationId}/objects/{objectName}/config-content`
---@overload fun(self: ampersand.resource.installations, integrationId: string, objectName: string, fields: PatchObjectConfigContentFields, options?: ampersand.CallOptions): Installation|nil, ampersand.Info|ampersand.Error|nil
---@param objectName string
---@param fields PatchObjectConfigContentFields
---@param options? ampersand.CallOptions
---@return Installation|nil value
---@return ampersand.Info|ampersand.Error|nil info
function installations:patch_object(objectName, fields, options) end

---@class PauseReadsFields
---@field note? string A note to accompany the pause.
---@field objects? string[]

---Stops the scheduled reads of an installation, of all objects or those named, until they are unpaused. `POST /projects/{projectIdOrName}/integrations/{integrationId}/installations/{installationId}:pause`
---@overload fun(self: ampersand.resource.installations, integrationId: string, installationId: string, fields?: PauseReadsFields, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param installationId string
---@param fields? PauseReadsFields
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function installations:pause(installationId, fields, options) end

---@class TriggerReadFields
---@field groupRef string The ID of the user group whose SaaS instance you'd like to read data from.
---@field mode "async" The mode of read operation.
---@field sinceTimestamp? string The UTC timestamp from which to read data.
---@field untilTimestamp? string The UTC timestamp until which to read data.

---Starts an asynchronous read of one object now, optionally limited to a period. `POST /projects/{projectIdOrName}/integrations/{integrationId}/objects/{objectName}`
---@overload fun(self: ampersand.resource.installations, integrationId: string, objectName: string, fields: TriggerReadFields, options?: ampersand.CallOptions): ReadResultAsync|nil, ampersand.Info|ampersand.Error|nil
---@param objectName string
---@param fields TriggerReadFields
---@param options? ampersand.CallOptions
---@return ReadResultAsync|nil value
---@return ampersand.Info|ampersand.Error|nil info
function installations:read(objectName, fields, options) end

---@class UnpauseReadsFields
---@field note? string A note to accompany the unpause.
---@field objects? string[]

---Resumes the scheduled reads of an installation, of all objects or those named. `POST /projects/{projectIdOrName}/integrations/{integrationId}/installations/{installationId}:unpause`
---@overload fun(self: ampersand.resource.installations, integrationId: string, installationId: string, fields?: UnpauseReadsFields, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param installationId string
---@param fields? UnpauseReadsFields
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function installations:unpause(installationId, fields, options) end

---@class ampersand.resource.integrations
local integrations = {}

---Lists the integrations of a project. `GET /projects/{projectIdOrName}/integrations`
---@overload fun(self: ampersand.resource.integrations, projectIdOrName: string, options?: ampersand.CallOptions): Integration[]|nil, ampersand.Info|ampersand.Error|nil
---@param options? ampersand.CallOptions
---@return Integration[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function integrations:list(options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): Integration|nil iterator
function integrations:each(options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function integrations:stream(options) end

---Iterates over whole pages; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): Integration[]|nil iterator
function integrations:pages(options) end

---Gets the first element; nil if there is none.
---@param options? ampersand.CallOptions
---@return Integration|nil value
---@return ampersand.Info|ampersand.Error|nil info
function integrations:first(options) end

---Counts the elements without making tables.
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function integrations:count(options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: Integration): boolean
---@return ampersand.resource.integrations
function integrations:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.integrations
function integrations:select(paths) end

---Gets an integration by id or name, with its latest revision. `GET /projects/{projectIdOrName}/integrations/{integrationIdOrName}`
---@overload fun(self: ampersand.resource.integrations, integrationIdOrName: string, options?: ampersand.CallOptions): Integration|nil, ampersand.Info|ampersand.Error|nil
---@param options? ampersand.CallOptions
---@return Integration|nil value
---@return ampersand.Info|ampersand.Error|nil info
function integrations:get(options) end

---@class CreateIntegrationFields
---@field latestRevision CreateIntegrationFields.latestRevision
---@field name string The integration name.
---@field provider string The provider name (e.g. "salesforce", "hubspot")

---@class CreateIntegrationFields.latestRevision
---@field content Integration2
---@field specVersion string The spec version string.

---Creates an integration for one provider with its first revision. `POST /projects/{projectIdOrName}/integrations`
---@overload fun(self: ampersand.resource.integrations, projectIdOrName: string, fields: CreateIntegrationFields, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param fields CreateIntegrationFields
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function integrations:create(fields, options) end

---Deletes an integration and all its installations. `DELETE /projects/{projectIdOrName}/integrations/{integrationIdOrName}`
---@overload fun(self: ampersand.resource.integrations, projectIdOrName: string, integrationIdOrName: string, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param integrationIdOrName string
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function integrations:delete(integrationIdOrName, options) end

---@class BatchUpsertIntegrationsFields
---@field destructive? boolean
---@field sourceYaml? string A YAML string that defines the integrations.
---@field sourceZipUrl? string URL of where a zip of the source files can be downloaded (e.g. Google Cloud Storage URL).

---Creates or updates the integrations that an amp.yaml or a zip file of sources defines. `PUT /projects/{projectIdOrName}/integrations:batch`
---@param projectIdOrName string
---@param fields BatchUpsertIntegrationsFields
---@param options? ampersand.CallOptions
---@return Integration[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function integrations:batch_upsert(projectIdOrName, fields, options) end

---@class ampersand.resource.jwt_keys
local jwt_keys = {}

---@class ListJWTKeysFields: ampersand.CallOptions
---@field active? boolean

---Lists the JWT keys of a project; active=true leaves out inactive ones. `GET /projects/{projectIdOrName}/jwt-keys`
---@overload fun(self: ampersand.resource.jwt_keys, projectIdOrName: string, fields?: ListJWTKeysFields, options?: ampersand.CallOptions): JWTKey[]|nil, ampersand.Info|ampersand.Error|nil
---@param fields? ListJWTKeysFields
---@param options? ampersand.CallOptions
---@return JWTKey[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function jwt_keys:list(fields, options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param fields? ListJWTKeysFields
---@param options? ampersand.CallOptions
---@return fun(): JWTKey|nil iterator
function jwt_keys:each(fields, options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param fields? ListJWTKeysFields
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function jwt_keys:stream(fields, options) end

---Iterates over whole pages; raises the error object.
---@param fields? ListJWTKeysFields
---@param options? ampersand.CallOptions
---@return fun(): JWTKey[]|nil iterator
function jwt_keys:pages(fields, options) end

---Gets the first element; nil if there is none.
---@param fields? ListJWTKeysFields
---@param options? ampersand.CallOptions
---@return JWTKey|nil value
---@return ampersand.Info|ampersand.Error|nil info
function jwt_keys:first(fields, options) end

---Counts the elements without making tables.
---@param fields? ListJWTKeysFields
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function jwt_keys:count(fields, options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: JWTKey): boolean
---@return ampersand.resource.jwt_keys
function jwt_keys:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.jwt_keys
function jwt_keys:select(paths) end

---Gets one JWT key. `GET /projects/{projectIdOrName}/jwt-keys/{keyId}`
---@overload fun(self: ampersand.resource.jwt_keys, projectIdOrName: string, keyId: string, options?: ampersand.CallOptions): JWTKey|nil, ampersand.Info|ampersand.Error|nil
---@param keyId string
---@param options? ampersand.CallOptions
---@return JWTKey|nil value
---@return ampersand.Info|ampersand.Error|nil info
function jwt_keys:get(keyId, options) end

---@class CreateJWTKeyFields
---@field algorithm "RS256" The cryptographic JWT signing algorithm (currently only RS256 is supported)
---@field label string Human-readable label for the JWT key
---@field publicKeyPem string RSA public key in PEM format for JWT signature verification

---Registers the RSA public key with which the API verifies the tokens that your server signs. `POST /projects/{projectIdOrName}/jwt-keys`
---@overload fun(self: ampersand.resource.jwt_keys, projectIdOrName: string, fields: CreateJWTKeyFields, options?: ampersand.CallOptions): JWTKeyResponse|nil, ampersand.Info|ampersand.Error|nil
---@param fields CreateJWTKeyFields
---@param options? ampersand.CallOptions
---@return JWTKeyResponse|nil value
---@return ampersand.Info|ampersand.Error|nil info
function jwt_keys:create(fields, options) end

---@class UpdateJWTKeyFields
---@field jwtKey UpdateJWTKeyFields.jwtKey Object containing the fields to update with their new values
---@field updateMask ("active"|"label")[] List of field paths to update (currently supports 'active' and 'name')

---Object containing the fields to update with their new values
---@class UpdateJWTKeyFields.jwtKey
---@field active? boolean New active status for the JWT key
---@field label? string New label for the JWT key

---Updates the name of a JWT key, or activates or deactivates it. `PATCH /projects/{projectIdOrName}/jwt-keys/{keyId}`
---@overload fun(self: ampersand.resource.jwt_keys, projectIdOrName: string, keyId: string, fields: UpdateJWTKeyFields, options?: ampersand.CallOptions): JWTKey|nil, ampersand.Info|ampersand.Error|nil
---@param keyId string
---@param fields UpdateJWTKeyFields
---@param options? ampersand.CallOptions
---@return JWTKey|nil value
---@return ampersand.Info|ampersand.Error|nil info
function jwt_keys:update(keyId, fields, options) end

---Deletes a JWT key permanently. `DELETE /projects/{projectIdOrName}/jwt-keys/{keyId}`
---@overload fun(self: ampersand.resource.jwt_keys, projectIdOrName: string, keyId: string, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param keyId string
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function jwt_keys:delete(keyId, options) end

---@class ampersand.resource.oauth
local oauth = {}

---Generates the URL at which a customer logs in again, which renews the credentials of a connection. `PATCH /projects/{projectIdOrName}/connections/{connectionId}:oauth-update`
---@overload fun(self: ampersand.resource.oauth, projectIdOrName: string, connectionId: string, options?: ampersand.CallOptions): string|nil, ampersand.Info|ampersand.Error|nil
---@param connectionId string
---@param options? ampersand.CallOptions
---@return string|nil value
---@return ampersand.Info|ampersand.Error|nil info
function oauth:update(connectionId, options) end

---@class OauthConnectFields
---@field consumerName? string The display name for the consumer.
---@field consumerRef string The ID that your app uses to identify the user whose SaaS credential will be used for this OAuth flow.
---@field enableCSRFProtection? boolean This boolean flag is used by the UI library internally.
---@field groupName? string The display name for the group.
---@field groupRef string Your application's identifier for the organization or workspace that this connection belongs to (e.g. an...
---@field projectIdOrName string The Ampersand project ID or project name.
---@field provider string The provider that this app connects to.
---@field providerAppId? string ID of the provider app, returned from the Create Provider App endpoint.
---@field providerMetadata? ProviderMetadata Additional provider-specific metadata required by certain providers (e.g., account ID for NetSuite).
---@field providerWorkspaceRef? string The identifier for the provider workspace (e.g. the Salesforce subdomain).

---Generates the URL at which a customer logs in at a provider by OAuth, which creates a connection. `POST /oauth-connect`
---@param fields OauthConnectFields
---@param options? ampersand.CallOptions
---@return string|nil value
---@return ampersand.Info|ampersand.Error|nil info
function oauth:connect(fields, options) end

---@class ampersand.resource.objects
local objects = {}

---@class GetObjectMetadataForConnectionFields: ampersand.CallOptions
---@field excludeReadOnly? boolean
---@field groupRef string

---Gets the fields of an object at the provider, through a group's connection. `GET /projects/{projectIdOrName}/providers/{provider}/objects/{objectName}/metadata`
---@overload fun(self: ampersand.resource.objects, projectIdOrName: string, provider: string, objectName: string, fields: GetObjectMetadataForConnectionFields, options?: ampersand.CallOptions): ObjectMetadata|nil, ampersand.Info|ampersand.Error|nil
---@param provider string
---@param objectName string
---@param fields GetObjectMetadataForConnectionFields
---@param options? ampersand.CallOptions
---@return ObjectMetadata|nil value
---@return ampersand.Info|ampersand.Error|nil info
function objects:get_connection_metadata(provider, objectName, fields, options) end

---@class GetObjectMetadataForInstallationFields: ampersand.CallOptions
---@field excludeReadOnly? boolean
---@field groupRef string

---Gets the fields of an object at the provider, through a group's installation. `GET /projects/{projectIdOrName}/integrations/{integrationId}/objects/{objectName}/metadata`
---@overload fun(self: ampersand.resource.objects, integrationId: string, objectName: string, fields: GetObjectMetadataForInstallationFields, options?: ampersand.CallOptions): ObjectMetadata|nil, ampersand.Info|ampersand.Error|nil
---@param objectName string
---@param fields GetObjectMetadataForInstallationFields
---@param options? ampersand.CallOptions
---@return ObjectMetadata|nil value
---@return ampersand.Info|ampersand.Error|nil info
function objects:get_metadata(objectName, fields, options) end

---@class UpsertMetadataForConnectionFields
---@field fields table<string, FieldDefinition[]> Maps object names to field definitions
---@field groupRef string The ID that your app uses to identify the group of users for this request.

---Creates or updates fields in HubSpot or Salesforce, by a group's connection. `PUT /projects/{projectIdOrName}/providers/{provider}/object-metadata`
---@overload fun(self: ampersand.resource.objects, projectIdOrName: string, provider: string, fields: UpsertMetadataForConnectionFields, options?: ampersand.CallOptions): UpsertMetadataResponse|nil, ampersand.Info|ampersand.Error|nil
---@param provider string
---@param fields UpsertMetadataForConnectionFields
---@param options? ampersand.CallOptions
---@return UpsertMetadataResponse|nil value
---@return ampersand.Info|ampersand.Error|nil info
function objects:upsert_connection_metadata(provider, fields, options) end

---@class UpsertMetadataForInstallationFields
---@field fields table<string, FieldDefinition[]> Maps object names to field definitions
---@field groupRef string The ID that your app uses to identify the group of users for this request.

---Creates or updates fields in HubSpot or Salesforce, by a group's installation. `PUT /projects/{projectIdOrName}/integrations/{integrationId}/object-metadata`
---@overload fun(self: ampersand.resource.objects, projectIdOrName: string, integrationId: string, fields: UpsertMetadataForInstallationFields, options?: ampersand.CallOptions): UpsertMetadataResponse|nil, ampersand.Info|ampersand.Error|nil
---@param integrationId string
---@param fields UpsertMetadataForInstallationFields
---@param options? ampersand.CallOptions
---@return UpsertMetadataResponse|nil value
---@return ampersand.Info|ampersand.Error|nil info
function objects:upsert_metadata(integrationId, fields, options) end

---@class ampersand.resource.operations
local operations = {}

---@class ListOperationsFields: ampersand.CallOptions
---@field pageSize? integer
---@field pageToken? string

---Lists the reads, writes and subscribe actions of an installation, page by page. `GET /projects/{projectIdOrName}/integrations/{integrationId}/installations/{installationId}/operations`
---@overload fun(self: ampersand.resource.operations, integrationId: string, installationId: string, fields?: ListOperationsFields, options?: ampersand.CallOptions): Operation[]|nil, ampersand.Info|ampersand.Error|nil
---@param installationId string
---@param fields? ListOperationsFields
---@param options? ampersand.CallOptions
---@return Operation[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function operations:list(installationId, fields, options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param installationId string
---@param fields? ListOperationsFields
---@param options? ampersand.CallOptions
---@return fun(): Operation|nil iterator
function operations:each(installationId, fields, options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param installationId string
---@param fields? ListOperationsFields
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function operations:stream(installationId, fields, options) end

---Iterates over whole pages; raises the error object.
---@param installationId string
---@param fields? ListOperationsFields
---@param options? ampersand.CallOptions
---@return fun(): Operation[]|nil iterator
function operations:pages(installationId, fields, options) end

---Gets the first element; nil if there is none.
---@param installationId string
---@param fields? ListOperationsFields
---@param options? ampersand.CallOptions
---@return Operation|nil value
---@return ampersand.Info|ampersand.Error|nil info
function operations:first(installationId, fields, options) end

---Counts the elements without making tables.
---@param installationId string
---@param fields? ListOperationsFields
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function operations:count(installationId, fields, options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: Operation): boolean
---@return ampersand.resource.operations
function operations:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.operations
function operations:select(paths) end

---Gets the status and result of one asynchronous read, write or subscribe action. `GET /projects/{projectIdOrName}/operations/{operationId}`
---@overload fun(self: ampersand.resource.operations, projectIdOrName: string, operationId: string, options?: ampersand.CallOptions): Operation|nil, ampersand.Info|ampersand.Error|nil
---@param operationId string
---@param options? ampersand.CallOptions
---@return Operation|nil value
---@return ampersand.Info|ampersand.Error|nil info
function operations:get(operationId, options) end

---Shows how many records of an object the first read has processed, and the estimated total. `GET /projects/{projectIdOrName}/integrations/{integrationId}/installations/{installationId}/objects/{objectName}/backfill-progress`
---@overload fun(self: ampersand.resource.operations, integrationId: string, installationId: string, objectName: string, options?: ampersand.CallOptions): BackfillProgress|nil, ampersand.Info|ampersand.Error|nil
---@param installationId string
---@param objectName string
---@param options? ampersand.CallOptions
---@return BackfillProgress|nil value
---@return ampersand.Info|ampersand.Error|nil info
function operations:backfill_progress(installationId, objectName, options) end

---Lists the log entries of one operation. `GET /projects/{projectIdOrName}/operations/{operationId}/logs`
---@overload fun(self: ampersand.resource.operations, projectIdOrName: string, operationId: string, options?: ampersand.CallOptions): Log[]|nil, ampersand.Info|ampersand.Error|nil
---@param operationId string
---@param options? ampersand.CallOptions
---@return Log[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function operations:logs(operationId, options) end

---@class ampersand.resource.org_builders
local org_builders = {}

---Lists the users of an organization. `GET /orgs/{orgId}/builders`
---@overload fun(self: ampersand.resource.org_builders, orgId: string, options?: ampersand.CallOptions): Builder[]|nil, ampersand.Info|ampersand.Error|nil
---@param options? ampersand.CallOptions
---@return Builder[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function org_builders:list(options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): Builder|nil iterator
function org_builders:each(options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function org_builders:stream(options) end

---Iterates over whole pages; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): Builder[]|nil iterator
function org_builders:pages(options) end

---Gets the first element; nil if there is none.
---@param options? ampersand.CallOptions
---@return Builder|nil value
---@return ampersand.Info|ampersand.Error|nil info
function org_builders:first(options) end

---Counts the elements without making tables.
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function org_builders:count(options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: Builder): boolean
---@return ampersand.resource.org_builders
function org_builders:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.org_builders
function org_builders:select(paths) end

---@class AddUserToOrgFields
---@field builderId string The ID of the builder to add to the organization

---Adds a user to an organization, as its owner, or yourself if it has claimed your email domain. `POST /orgs/{orgId}/memberships`
---@overload fun(self: ampersand.resource.org_builders, orgId: string, fields: AddUserToOrgFields, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param fields AddUserToOrgFields
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function org_builders:add(fields, options) end

---@class ampersand.resource.org_invites
local org_invites = {}

---Lists the invites to an organization. `GET /orgs/{orgId}/invites`
---@overload fun(self: ampersand.resource.org_invites, orgId: string, options?: ampersand.CallOptions): Invite[]|nil, ampersand.Info|ampersand.Error|nil
---@param options? ampersand.CallOptions
---@return Invite[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function org_invites:list(options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): Invite|nil iterator
function org_invites:each(options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function org_invites:stream(options) end

---Iterates over whole pages; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): Invite[]|nil iterator
function org_invites:pages(options) end

---Gets the first element; nil if there is none.
---@param options? ampersand.CallOptions
---@return Invite|nil value
---@return ampersand.Info|ampersand.Error|nil info
function org_invites:first(options) end

---Counts the elements without making tables.
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function org_invites:count(options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: Invite): boolean
---@return ampersand.resource.org_invites
function org_invites:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.org_invites
function org_invites:select(paths) end

---Gets one invite to an organization. `GET /orgs/{orgId}/invites/{inviteId}`
---@overload fun(self: ampersand.resource.org_invites, orgId: string, inviteId: string, options?: ampersand.CallOptions): Invite|nil, ampersand.Info|ampersand.Error|nil
---@param inviteId string
---@param options? ampersand.CallOptions
---@return Invite|nil value
---@return ampersand.Info|ampersand.Error|nil info
function org_invites:get(inviteId, options) end

---@class CreateOrgInviteFields
---@field email string The email address of the user to invite.

---Invites a user to an organization by email address. `POST /orgs/{orgId}/invites`
---@overload fun(self: ampersand.resource.org_invites, orgId: string, fields?: CreateOrgInviteFields, options?: ampersand.CallOptions): Invite|nil, ampersand.Info|ampersand.Error|nil
---@param fields? CreateOrgInviteFields
---@param options? ampersand.CallOptions
---@return Invite|nil value
---@return ampersand.Info|ampersand.Error|nil info
function org_invites:create(fields, options) end

---Revokes an invite to an organization. `DELETE /orgs/{orgId}/invites/{inviteId}`
---@overload fun(self: ampersand.resource.org_invites, orgId: string, inviteId: string, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param inviteId string
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function org_invites:delete(inviteId, options) end

---@class AcceptInviteFields
---@field invitedEmail string The email address that the invite was sent to

---Accepts an invite to an organization, sent to an email address of the current user. `POST /invites:accept`
---@param fields AcceptInviteFields
---@param options? ampersand.CallOptions
---@return BuilderInfo|nil value
---@return ampersand.Info|ampersand.Error|nil info
function org_invites:accept(fields, options) end

---@class ampersand.resource.orgs
local orgs = {}

---Gets an organization. `GET /orgs/{orgId}`
---@overload fun(self: ampersand.resource.orgs, orgId: string, options?: ampersand.CallOptions): Org|nil, ampersand.Info|ampersand.Error|nil
---@param options? ampersand.CallOptions
---@return Org|nil value
---@return ampersand.Info|ampersand.Error|nil info
function orgs:get(options) end

---@class CreateOrgFields
---@field label string The organization label.

---Creates an organization. `POST /orgs`
---@param fields CreateOrgFields
---@param options? ampersand.CallOptions
---@return Org|nil value
---@return ampersand.Info|ampersand.Error|nil info
function orgs:create(fields, options) end

---@class UpdateOrgFields
---@field org UpdateOrgFields.org
---@field updateMask string[] Array of field paths specifying which fields to update.

---@class UpdateOrgFields.org
---@field label? string The organization label.

---Updates the label of an organization. `PATCH /orgs/{orgId}`
---@param orgId string
---@param fields UpdateOrgFields
---@param options? ampersand.CallOptions
---@return Org|nil value
---@return ampersand.Info|ampersand.Error|nil info
function orgs:update(orgId, fields, options) end

---@class ampersand.resource.projects
local projects = {}

---Lists the projects that your credentials can access. `GET /projects`
---@param options? ampersand.CallOptions
---@return Project[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function projects:list(options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): Project|nil iterator
function projects:each(options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function projects:stream(options) end

---Iterates over whole pages; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): Project[]|nil iterator
function projects:pages(options) end

---Gets the first element; nil if there is none.
---@param options? ampersand.CallOptions
---@return Project|nil value
---@return ampersand.Info|ampersand.Error|nil info
function projects:first(options) end

---Counts the elements without making tables.
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function projects:count(options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: Project): boolean
---@return ampersand.resource.projects
function projects:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.projects
function projects:select(paths) end

---@class GetProjectFields: ampersand.CallOptions
---@field includeEntitlements? boolean

---Gets a project by id or name. `GET /projects/{projectIdOrName}`
---@overload fun(self: ampersand.resource.projects, projectIdOrName: string, fields?: GetProjectFields, options?: ampersand.CallOptions): Project|nil, ampersand.Info|ampersand.Error|nil
---@param fields? GetProjectFields
---@param options? ampersand.CallOptions
---@return Project|nil value
---@return ampersand.Info|ampersand.Error|nil info
function projects:get(fields, options) end

---@class CreateProjectFields
---@field appName string The display name of your application, shown to end users during the connection flow.
---@field name string The unique name for the project.
---@field orgId string The ID of the organization this project belongs to.

---Creates a project, which holds provider apps, integrations and connections, in an organization. `POST /projects`
---@param fields CreateProjectFields
---@param options? ampersand.CallOptions
---@return Project|nil value
---@return ampersand.Info|ampersand.Error|nil info
function projects:create(fields, options) end

---@class UpdateProjectFields
---@field project UpdateProjectFields.project The project fields to update.
---@field updateMask string[] Array of field paths specifying which fields to update.

---The project fields to update.
---@class UpdateProjectFields.project
---@field appName? string The display name of the application, shown to end users during the connection flow.
---@field name? string The unique name for the project.

---Updates the name of a project, or the application name that end users see. `PATCH /projects/{projectIdOrName}`
---@param projectIdOrName string
---@param fields UpdateProjectFields
---@param options? ampersand.CallOptions
---@return Project|nil value
---@return ampersand.Info|ampersand.Error|nil info
function projects:update(projectIdOrName, fields, options) end

---Deletes a project. No longer in the vendor's documents. `DELETE /projects/{projectIdOrName}`
---@param projectIdOrName string
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function projects:delete(projectIdOrName, options) end

---@class ampersand.resource.provider_apps
local provider_apps = {}

---Lists the OAuth apps that a project has registered with providers. `GET /projects/{projectIdOrName}/provider-apps`
---@overload fun(self: ampersand.resource.provider_apps, projectIdOrName: string, options?: ampersand.CallOptions): ProviderApp[]|nil, ampersand.Info|ampersand.Error|nil
---@param options? ampersand.CallOptions
---@return ProviderApp[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function provider_apps:list(options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): ProviderApp|nil iterator
function provider_apps:each(options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function provider_apps:stream(options) end

---Iterates over whole pages; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): ProviderApp[]|nil iterator
function provider_apps:pages(options) end

---Gets the first element; nil if there is none.
---@param options? ampersand.CallOptions
---@return ProviderApp|nil value
---@return ampersand.Info|ampersand.Error|nil info
function provider_apps:first(options) end

---Counts the elements without making tables.
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function provider_apps:count(options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: ProviderApp): boolean
---@return ampersand.resource.provider_apps
function provider_apps:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.provider_apps
function provider_apps:select(paths) end

---@class CreateProviderAppFields
---@field clientId string The OAuth client ID for this app.
---@field clientSecret string The OAuth client secret for this app.
---@field externalRef? string The ID used by the provider to identify the app (optional).
---@field metadata? ProviderAppMetadata Provider-specific configuration that extends the standard OAuth flow.
---@field provider string The SaaS provider that this app connects to.
---@field scopes? string[] The OAuth scopes for this app.

---Registers the OAuth client id and secret that a project uses at a provider. `POST /projects/{projectIdOrName}/provider-apps`
---@overload fun(self: ampersand.resource.provider_apps, projectIdOrName: string, fields: CreateProviderAppFields, options?: ampersand.CallOptions): ProviderApp|nil, ampersand.Info|ampersand.Error|nil
---@param fields CreateProviderAppFields
---@param options? ampersand.CallOptions
---@return ProviderApp|nil value
---@return ampersand.Info|ampersand.Error|nil info
function provider_apps:create(fields, options) end

---@class UpdateProviderAppFields
---@field providerApp UpdateProviderAppFields.providerApp The provider app fields to update. (Only include the fields you'd like to update.)
---@field updateMask string[] Array of field paths specifying which fields to update.

---The provider app fields to update. (Only include the fields you'd like to update.)
---@class UpdateProviderAppFields.providerApp
---@field clientId? string The OAuth client ID for this app.
---@field clientSecret? string The OAuth client secret for this app.
---@field externalRef? string The ID used by the provider to identify the app (optional).
---@field metadata? ProviderAppMetadata Provider-specific configuration that extends the standard OAuth flow.
---@field provider? string The SaaS provider that this app connects to.
---@field scopes? string[] The OAuth scopes for this app.

---Updates the fields of a provider app that updateMask names, such as client secret or scopes. `PATCH /projects/{projectIdOrName}/provider-apps/{providerAppId}`
---@overload fun(self: ampersand.resource.provider_apps, projectIdOrName: string, providerAppId: string, fields: UpdateProviderAppFields, options?: ampersand.CallOptions): ProviderApp|nil, ampersand.Info|ampersand.Error|nil
---@param providerAppId string
---@param fields UpdateProviderAppFields
---@param options? ampersand.CallOptions
---@return ProviderApp|nil value
---@return ampersand.Info|ampersand.Error|nil info
function provider_apps:update(providerAppId, fields, options) end

---Deletes a provider app. `DELETE /projects/{projectIdOrName}/provider-apps/{providerAppId}`
---@overload fun(self: ampersand.resource.provider_apps, projectIdOrName: string, providerAppId: string, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param providerAppId string
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function provider_apps:delete(providerAppId, options) end

---@class ampersand.resource.providers
local providers = {}

---Lists all providers by name, with login methods and supported actions. `GET /providers`
---@param options? ampersand.CallOptions
---@return table<string, ProviderInfo>|nil value
---@return ampersand.Info|ampersand.Error|nil info
function providers:list(options) end

---Gets one provider with its login methods, supported actions and modules. `GET /providers/{provider}`
---@param provider string
---@param options? ampersand.CallOptions
---@return ProviderInfo|nil value
---@return ampersand.Info|ampersand.Error|nil info
function providers:get(provider, options) end

---@class ampersand.resource.records
local records = {}

---@class SearchRecordsFields
---@field fieldFilters FieldFilter[] The field filters to apply to the search.
---@field groupRef string
---@field objectName string The name of the object to search.

---Searches records at the provider whose fields equal the given values. `POST /projects/{projectIdOrName}/integrations/{integrationId}`
---@overload fun(self: ampersand.resource.records, integrationId: string, fields: SearchRecordsFields, options?: ampersand.CallOptions): SearchResponse|nil, ampersand.Info|ampersand.Error|nil
---@param fields SearchRecordsFields
---@param options? ampersand.CallOptions
---@return SearchResponse|nil value
---@return ampersand.Info|ampersand.Error|nil info
function records:search(fields, options) end

---@class WriteRecordsFields
---@field associations? table<string, any>[] To write associations to the record (for single record mode).
---@field autoBatchPolicy? WriteRecordsFields.autoBatchPolicy The auto-batch policy for asynchronous single-record write operations.
---@field batch? WriteRecordsFields.batch[] Write 1–100 records in one request.
---@field batchPolicy? WriteRecordsFields.batchPolicy Policy settings for batch write operations.
---@field groupRef string The ID of the user group whose SaaS instance you'd like to write data to.
---@field headers? WriteRecordsFields.headers[] To write headers to the record.
---@field mode? "synchronous"|"asynchronous" The mode of write operation.
---@field record? table<string, any> The record to write.
---@field retryPolicy? WriteRecordsFields.retryPolicy The retry policy for an asynchronous write operation.
---@field type "create"|"update"|"delete" The type of write operation.

---The auto-batch policy for asynchronous single-record write operations.
---@class WriteRecordsFields.autoBatchPolicy
---@field maxDelayMinutes integer The maximum time to wait before executing the batch, even if it hasn't reached 100 records.
---@field retryDeadlineHours? integer The maximum time to keep retrying the batch write operation if it fails.

---@class WriteRecordsFields.batch
---@field associations? table<string, any>[] To write associations to the record.
---@field record table<string, any> The record to write

---Policy settings for batch write operations.
---@class WriteRecordsFields.batchPolicy
---@field allOrNone? boolean When set to `true`, the entire batch will fail if any record in the batch fails.

---@class WriteRecordsFields.headers
---@field key? string The key of the header
---@field value? string The value of the header

---The retry policy for an asynchronous write operation.
---@class WriteRecordsFields.retryPolicy
---@field deadlineHours? integer The maximum number of hours to wait for the write operation to complete.

---Creates, updates or deletes records at the provider; a delete is always synchronous. `POST /projects/{projectIdOrName}/integrations/{integrationId}/objects/{objectName}`
---@overload fun(self: ampersand.resource.records, integrationId: string, objectName: string, fields: WriteRecordsFields, options?: ampersand.CallOptions): WriteResponseSingleSuccess|WriteResponseBatch|nil, ampersand.Info|ampersand.Error|nil
---@param objectName string
---@param fields WriteRecordsFields
---@param options? ampersand.CallOptions
---@return WriteResponseSingleSuccess|WriteResponseBatch|nil value
---@return ampersand.Info|ampersand.Error|nil info
function records:write(objectName, fields, options) end

---@class ampersand.resource.revisions
local revisions = {}

---@class CreateRevisionFields
---@field destructive? boolean
---@field sourceYaml? string The source YAML file that defines the revision.
---@field sourceZipUrl? string URL of where a zip of the source files can be downloaded (e.g. Google Cloud Storage URL).

---Creates a new revision of an integration from the text of an amp.yaml or the URL of a zip file. `POST /projects/{projectIdOrName}/integrations/{integrationId}/revisions`
---@overload fun(self: ampersand.resource.revisions, integrationId: string, fields: CreateRevisionFields, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param fields CreateRevisionFields
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function revisions:create(fields, options) end

---@class GetHydratedRevisionFields: ampersand.CallOptions
---@field connectionId string

---Gets a revision with the fields that each object has in a customer's account at the provider. `GET /projects/{projectIdOrName}/integrations/{integrationId}/revisions/{revisionId}:hydrate`
---@overload fun(self: ampersand.resource.revisions, integrationId: string, revisionId: string, fields: GetHydratedRevisionFields, options?: ampersand.CallOptions): HydratedRevision|nil, ampersand.Info|ampersand.Error|nil
---@param revisionId string
---@param fields GetHydratedRevisionFields
---@param options? ampersand.CallOptions
---@return HydratedRevision|nil value
---@return ampersand.Info|ampersand.Error|nil info
function revisions:hydrate(revisionId, fields, options) end

---@class ampersand.resource.topic_destination_routes
local topic_destination_routes = {}

---@class ListTopicDestinationRoutesFields: ampersand.CallOptions
---@field destinationId? string
---@field topicId? string

---Lists which topics are routed to which destinations. `GET /projects/{projectIdOrName}/topic-destination-routes`
---@overload fun(self: ampersand.resource.topic_destination_routes, projectIdOrName: string, fields?: ListTopicDestinationRoutesFields, options?: ampersand.CallOptions): TopicDestinationRoute[]|nil, ampersand.Info|ampersand.Error|nil
---@param fields? ListTopicDestinationRoutesFields
---@param options? ampersand.CallOptions
---@return TopicDestinationRoute[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function topic_destination_routes:list(fields, options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param fields? ListTopicDestinationRoutesFields
---@param options? ampersand.CallOptions
---@return fun(): TopicDestinationRoute|nil iterator
function topic_destination_routes:each(fields, options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param fields? ListTopicDestinationRoutesFields
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function topic_destination_routes:stream(fields, options) end

---Iterates over whole pages; raises the error object.
---@param fields? ListTopicDestinationRoutesFields
---@param options? ampersand.CallOptions
---@return fun(): TopicDestinationRoute[]|nil iterator
function topic_destination_routes:pages(fields, options) end

---Gets the first element; nil if there is none.
---@param fields? ListTopicDestinationRoutesFields
---@param options? ampersand.CallOptions
---@return TopicDestinationRoute|nil value
---@return ampersand.Info|ampersand.Error|nil info
function topic_destination_routes:first(fields, options) end

---Counts the elements without making tables.
---@param fields? ListTopicDestinationRoutesFields
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function topic_destination_routes:count(fields, options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: TopicDestinationRoute): boolean
---@return ampersand.resource.topic_destination_routes
function topic_destination_routes:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.topic_destination_routes
function topic_destination_routes:select(paths) end

---@class CreateTopicDestinationRouteFields
---@field destinationId string The ID of the destination.
---@field topicId string The ID of the topic.

---Routes all notifications of a topic to a destination. `POST /projects/{projectIdOrName}/topic-destination-routes`
---@overload fun(self: ampersand.resource.topic_destination_routes, projectIdOrName: string, fields: CreateTopicDestinationRouteFields, options?: ampersand.CallOptions): TopicDestinationRoute|nil, ampersand.Info|ampersand.Error|nil
---@param fields CreateTopicDestinationRouteFields
---@param options? ampersand.CallOptions
---@return TopicDestinationRoute|nil value
---@return ampersand.Info|ampersand.Error|nil info
function topic_destination_routes:create(fields, options) end

---Stops routing notifications of a topic to a destination. `DELETE /projects/{projectIdOrName}/topic-destination-routes/{routeId}`
---@overload fun(self: ampersand.resource.topic_destination_routes, projectIdOrName: string, routeId: string, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param routeId string
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function topic_destination_routes:delete(routeId, options) end

---@class ampersand.resource.topics
local topics = {}

---Lists the topics of a project. `GET /projects/{projectIdOrName}/topics`
---@overload fun(self: ampersand.resource.topics, projectIdOrName: string, options?: ampersand.CallOptions): Topic[]|nil, ampersand.Info|ampersand.Error|nil
---@param options? ampersand.CallOptions
---@return Topic[]|nil value
---@return ampersand.Info|ampersand.Error|nil info
function topics:list(options) end

---Iterates over the elements while the body arrives; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): Topic|nil iterator
function topics:each(options) end

---Like each, with next() and close(); next() returns nil, err instead of raising.
---@param options? ampersand.CallOptions
---@return ampersand.Stream|nil stream
---@return ampersand.Error|nil err
function topics:stream(options) end

---Iterates over whole pages; raises the error object.
---@param options? ampersand.CallOptions
---@return fun(): Topic[]|nil iterator
function topics:pages(options) end

---Gets the first element; nil if there is none.
---@param options? ampersand.CallOptions
---@return Topic|nil value
---@return ampersand.Info|ampersand.Error|nil info
function topics:first(options) end

---Counts the elements without making tables.
---@param options? ampersand.CallOptions
---@return integer|nil count
---@return ampersand.Info|ampersand.Error|nil info
function topics:count(options) end

---Returns a view of the elements for which the condition holds.
---@param condition ampersand.Condition|fun(element: Topic): boolean
---@return ampersand.resource.topics
function topics:where(condition) end

---Returns a view that keeps only these paths of each element.
---@param paths (string|string[])[] dotted paths, or lists of names
---@return ampersand.resource.topics
function topics:select(paths) end

---@class CreateTopicFields
---@field name string The name of the topic.

---Creates a topic, to which notifications are sent and from which destinations receive them. `POST /projects/{projectIdOrName}/topics`
---@overload fun(self: ampersand.resource.topics, projectIdOrName: string, fields: CreateTopicFields, options?: ampersand.CallOptions): Topic|nil, ampersand.Info|ampersand.Error|nil
---@param fields CreateTopicFields
---@param options? ampersand.CallOptions
---@return Topic|nil value
---@return ampersand.Info|ampersand.Error|nil info
function topics:create(fields, options) end

---@class UpdateTopicFields
---@field name string A human-readable name for the topic.

---Renames a topic. `PATCH /projects/{projectIdOrName}/topics/{topicId}`
---@overload fun(self: ampersand.resource.topics, projectIdOrName: string, topicId: string, fields: UpdateTopicFields, options?: ampersand.CallOptions): Topic|nil, ampersand.Info|ampersand.Error|nil
---@param topicId string
---@param fields UpdateTopicFields
---@param options? ampersand.CallOptions
---@return Topic|nil value
---@return ampersand.Info|ampersand.Error|nil info
function topics:update(topicId, fields, options) end

---Deletes a topic. `DELETE /projects/{projectIdOrName}/topics/{topicId}`
---@overload fun(self: ampersand.resource.topics, projectIdOrName: string, topicId: string, options?: ampersand.CallOptions): true|nil, ampersand.Info|ampersand.Error|nil
---@param topicId string
---@param options? ampersand.CallOptions
---@return true|nil value
---@return ampersand.Info|ampersand.Error|nil info
function topics:delete(topicId, options) end

---@class ampersand.resource.upload_urls
local upload_urls = {}

---Creates a signed URL to which a zip file, such as integration sources, can be uploaded. `GET /generate-upload-url`
---@param options? ampersand.CallOptions
---@return SignedUrl|nil value
---@return ampersand.Info|ampersand.Error|nil info
function upload_urls:generate(options) end

---@class ampersand.resource.users
local users = {}

---Gets the current user with the organizations and projects they belong to. `GET /my-info`
---@param options? ampersand.CallOptions
---@return BuilderInfo|nil value
---@return ampersand.Info|ampersand.Error|nil info
function users:me(options) end

---@class ampersand.Client
---@field api_keys ampersand.resource.api_keys
---@field billing_accounts ampersand.resource.billing_accounts
---@field claimed_domains ampersand.resource.claimed_domains
---@field connections ampersand.resource.connections
---@field consumers ampersand.resource.consumers
---@field destinations ampersand.resource.destinations
---@field event_topic_routes ampersand.resource.event_topic_routes
---@field groups ampersand.resource.groups
---@field installations ampersand.resource.installations
---@field integrations ampersand.resource.integrations
---@field jwt_keys ampersand.resource.jwt_keys
---@field oauth ampersand.resource.oauth
---@field objects ampersand.resource.objects
---@field operations ampersand.resource.operations
---@field org_builders ampersand.resource.org_builders
---@field org_invites ampersand.resource.org_invites
---@field orgs ampersand.resource.orgs
---@field projects ampersand.resource.projects
---@field provider_apps ampersand.resource.provider_apps
---@field providers ampersand.resource.providers
---@field records ampersand.resource.records
---@field revisions ampersand.resource.revisions
---@field topic_destination_routes ampersand.resource.topic_destination_routes
---@field topics ampersand.resource.topics
---@field upload_urls ampersand.resource.upload_urls
---@field users ampersand.resource.users
