--- ampersand: a client for the Ampersand API.
--
--     local ampersand = require "ampersand"
--     local client = ampersand.new { project = "my-project", integration = "hubspot" }
--     for installation in client.installations:each() do print(installation.id, installation.healthStatus) end
--
-- Reading on: client (operations become methods), arguments (ids, fields, options), call (one call through build and
-- send), answer and failure (what comes of it), pages and stream (lists), operations (the API as data). What `later`
-- names is loaded at its first use. C does JSON (ampersand.core) and HTTP (ampersand.http).

local core = require "ampersand.core"
local later = require "ampersand.util.later"
local version = require "ampersand.version"

local Error = later "ampersand.client.error"

local ampersand = { _VERSION = version.number }

--- JSON null, equal to cjson.null.
ampersand.null = core.null

--- Marks a table as a JSON array, so that `{}` is written as `[]`; decoded arrays carry the mark.
---@type fun(t: table?): table
ampersand.array = core.array

--- Makes a client. Nothing is sent, and no library is loaded, before the first call.
--
-- `options`: `api_key` (else AMP_API_KEY or AMPERSAND_API_KEY of the environment), `project` (AMPERSAND_PROJECT_ID),
-- `integration` (AMPERSAND_INTEGRATION_ID), `org`, `bearer` (a JWT, or a function that returns one), `base_url`
-- (complete, with /v1; else AMP_API_URL, to which /v1 is added), `timeout` (60 s in all), `connect_timeout` (10 s),
-- `read_timeout` (30 s without a byte), `retry`, `nulls` ("keep" or "drop") … the README has the whole table.
-- Unknown or ill-typed options raise. A missing key, project or integration is reported by the call that needs it.
---@param options table?
---@return ampersand.Client
function ampersand.new(options)
  return require("ampersand.client").new(options)
end

--- Walks a decoded value: `ampersand.get(t, "connection.provider")` is nil wherever something is absent or null.
---@param value any
---@param path string keys joined by dots; digits index arrays, from 1
---@return any
function ampersand.get(value, path)
  for key in path:gmatch("[^.]+") do
    if type(value) ~= "table" then return nil end
    local found = value[key]
    if found == nil then found = value[tonumber(key)] end
    value = found
  end
  if value == core.null then return nil end
  return value
end

--- Like assert, but an error object becomes readable text: before Lua 5.4 an uncaught table prints badly.
---@param value any
---@param err any
---@return any ...
function ampersand.assert(value, err, ...)
  if value or err == nil then return assert(value, err, ...) end
  error(Error.is(err) and tostring(err) or err, 2)
end

--- What is in use: `{ ampersand = "0.1.0", lua = "Lua 5.4", libcurl = "7.88.1", tls = "OpenSSL/3.0.17" }`.
-- Loads libcurl, except inside nginx, whose requests do not go through it; without it `libcurl` and `tls` are nil.
---@return table<string, string>
function ampersand.versions()
  local in_use = { ampersand = version.number, lua = rawget(_G, "jit") and rawget(_G, "jit").version or _VERSION }
  local found, http = not rawget(_G, "ngx"), package.loaded["ampersand.http"]
  if found and not http then found, http = pcall(require, "ampersand.http") end
  if found then in_use.libcurl, in_use.tls = http.versions().libcurl, http.versions().tls end
  return in_use
end

--- Whether a value is an error object of this library.
---@param value any
---@return boolean
function ampersand.is_error(value)
  return Error.is(value)
end

-- Wings that not every program needs are loaded when they are first named; `true`: the module itself, else a function
-- of the module's.
local LAZY = {
  json = true, time = true, webhook = true, jwt = true, cancel = true, cache = true, gate = true, receiver = true,
  metrics = true,
  record = "record", replay = "record",
}

return setmetatable(ampersand, {
  __index = function(self, name)
    local where = LAZY[name]
    if not where then return nil end
    local value = where == true and require("ampersand." .. name) or require("ampersand." .. where)[name]
    rawset(self, name, value)
    return value
  end,
})
