--- Ready messages for `ampersand webhook send`: one of each kind that the vendor documents. Pure.

local core = require "ampersand.core"

local DAY = "2026-01-01T00:00:00Z"

local function with(base, more)
  local all = {}
  for name, value in pairs(base) do all[name] = value end
  for name, value in pairs(more) do all[name] = value end
  return all
end

local CONNECTION = {
  projectId = "project-456", connectionId = "connection-123", provider = "salesforce", groupRef = "group-123",
  consumerRef = "consumer-123", consumerName = "Super Customer",
}
local INSTALLATION = with(CONNECTION, {
  integrationId = "integration-123", integrationName = "salesforce", installationId = "installation-123",
  groupName = "Super Customer",
})
local CONFIG = {
  provider = "salesforce",
  read = { objects = { contact = {
    objectName = "contact", schedule = "0 * * * *", destination = "defaultWebhook",
    selectedFields = { id = true, email = true }, selectedFieldMappings = {},
  } } },
}
local PERIOD = { objectName = "contact", fromTimestamp = DAY, untilTimestamp = "2026-01-02T00:00:00Z" }

-- Messages with records -------------------------------------------------------------------------------------------

local MESSAGE = {
  projectId = "project-456", provider = "salesforce", groupRef = "group-123", groupName = "Super Customer",
  installationId = "installation-123", installationUpdateTime = DAY, objectName = "contact",
  consumerRef = "consumer-123", consumerName = "Super Customer", operationTime = DAY,
}

local function record(id, more)
  return with({
    fields = { id = id, email = id .. "@example.com" }, mappedFields = { fullName = "Zoë Müller" },
    raw = { Id = id, Email = id .. "@example.com" },
  }, more or {})
end

local function inline(fields, records)
  fields.resultInfo, fields.result = { type = "inline", numRecords = #records }, core.array(records)
  return with(MESSAGE, fields)
end

local function read_message(kind)
  return inline({ action = "read", operationId = "operation-123", readType = kind }, { record "c-1", record "c-2" })
end

local function subscribe_message(kind, more)
  more.subscribeEventType, more.providerEventType = kind, "contact." .. kind
  return inline({ action = "subscribe" }, { record("c-1", more) })
end

local ASSOCIATED = { id = "a-1", objectName = "account", fields = { id = "a-1", name = "Acme" } }

-- Names in the order of `ampersand webhook events`, each with its message.
local EVENTS = {
  { "read.scheduled", read_message "scheduled" },
  { "read.backfill", read_message "backfill" },
  { "read.triggered", read_message "triggered" },
  { "read.url", with(MESSAGE, {
    action = "read", operationId = "operation-123", readType = "backfill",
    resultInfo = { type = "url", numRecords = 5000, downloadUrl = "https://storage.example.com/records.json?sig=…" },
  }) },
  { "subscribe.create", subscribe_message("create", {}) },
  { "subscribe.update", subscribe_message("update", { fieldsUpdated = core.array { "email" } }) },
  { "subscribe.associationUpdate", subscribe_message("associationUpdate", {
    fromRecord = { id = "c-1", objectName = "contact" }, toRecord = ASSOCIATED,
  }) },
  { "subscribe.delete", inline({ action = "subscribe" }, {
    { id = "c-1", subscribeEventType = "delete", providerEventType = "contact.delete" },
  }) },
  { "subscribe.other", subscribe_message("other", { rawEvent = { type = "merged" } }) },
}

-- Notifications ---------------------------------------------------------------------------------------------------

local function notify(kind, data)
  EVENTS[#EVENTS + 1] = { kind, { notificationType = kind, data = data } }
end

local FAILED = core.array { "Authentication failed" }

notify("connection.created", CONNECTION)
notify("connection.error", with(CONNECTION, { errors = FAILED, error = FAILED }))
notify("connection.refreshed", CONNECTION)
notify("connection.updated", CONNECTION)
notify("connection.deleted", CONNECTION)
notify("installation.created", with(INSTALLATION, { config = CONFIG }))
notify("installation.updated", with(INSTALLATION, { config = CONFIG, lastConfig = { provider = "salesforce" } }))
notify("installation.deleted", with(INSTALLATION, { config = CONFIG }))
notify("read.schedule.paused", with(INSTALLATION, { config = CONFIG, error = "Authentication failed" }))
notify("read.backfill.done", with(INSTALLATION, { objectName = "contact" }))
notify("read.triggered.done", with(INSTALLATION, PERIOD))
notify("read.triggered.error", with(INSTALLATION, with(PERIOD, { error = "Authentication failed" })))
notify("write.async.done", with(INSTALLATION, {
  objectName = "contact", success = false, successfulRecordIds = core.array { "c-1" },
  errors = core.array { "field validation failed" },
}))
notify("subscribe.create.error", with(INSTALLATION, { error = "Failed to create subscription" }))
notify("destination.webhook.disabled", {
  projectId = "project-456", destinationId = "destination-123", destinationName = "defaultWebhook",
  url = "https://webhooks.example.com/ampersand",
})

return EVENTS
