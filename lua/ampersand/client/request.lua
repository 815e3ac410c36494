--- Builds requests: a call becomes method, URL, headers and body. Nothing is sent from here.

local core = require "ampersand.core"
local url = require "ampersand.util.url"

local request = {}

--- The vendor's servers. The proxy has no version in its path.
request.SERVERS = {
  api = "https://api.withampersand.com/v1",
  read = "https://read.withampersand.com/v1",
  write = "https://write.withampersand.com/v1",
  search = "https://search.withampersand.com/v1",
  proxy = "https://proxy.withampersand.com",
}

--- The address of one of the vendor's servers: `base_url` replaces all of them, `servers` single ones; a region stands
-- behind the first part of the host's name.
---@param config table settings of a client
function request.address(config, name)
  local own = config.servers[name] or config.base_url
  if own then return name == "proxy" and not config.servers[name] and own:gsub("/v%d+$", "") or own end
  local address = request.SERVERS[name]
  return config.region and address:gsub("^[^.]+", "%0." .. config.region) or address
end

--- Why `id` cannot stand in a path, or nil. "." and ".." are folded by servers even when percent-encoded.
function request.bad_id(id)
  local kind = type(id)
  if kind == "number" then
    if id ~= math.floor(id) or id ~= id or math.abs(id) == math.huge then return "is not a whole number" end
  elseif kind ~= "string" then
    return "is missing (got " .. kind .. ")"
  elseif id == "" then
    return "is empty"
  elseif id == "." or id == ".." then
    return ("must not be %q"):format(id)
  end
end

-- Why an operation cannot be asked for.
local function no_credential(op)
  if op.auth == "bearer" then
    return op.id .. " takes only a bearer token: give `bearer`, a JWT or a function that returns one"
  end
  local other = op.auth == "key" and "" or " (or `bearer`)"
  return "no API key: give `api_key`" .. other .. " to ampersand.new, or set AMP_API_KEY in the environment"
end

-- Name and value of the header that carries the credential; false where there is none; nil and a message.
local function credential(op, config, bearer)
  if op.auth == "none" then return false end
  local key = op.auth ~= "bearer" and config.api_key and config.api_key()
  if key then return "X-Api-Key", key end
  if op.auth ~= "key" and bearer then return "Authorization", "Bearer " .. bearer end
  return nil, no_credential(op)
end

--- Sets a header, whatever the case of an earlier one of that name.
---@param headers table<string, string>
function request.set_header(headers, name, value)
  local lower = tostring(name):lower()
  for other in pairs(headers) do
    if tostring(other):lower() == lower then headers[other] = nil end
  end
  headers[name] = value
end

--- Why a header cannot be sent, or nil.
function request.bad_header(name, value)
  if type(name) ~= "string" or not name:match "^[%w!#$%%&'*+%-.^_`|~]+$" then
    return ("header name %q is not a token of RFC 9110"):format(tostring(name):gsub("%c", "?"))
  elseif tostring(value):find "[%z\r\n]" then
    return ("the value of header %s has a line break or a NUL in it"):format(name)
  end
end

local function add_headers(headers, more)
  for name, value in pairs(more or {}) do
    local bad = request.bad_header(name, value)
    if bad then return bad end
    request.set_header(headers, name, tostring(value))
  end
end

-- The headers; nil and a message.
local function headers_of(c, bearer)
  local op, config = c.op, c.config
  local name, value = credential(op, config, bearer)
  if name == nil then return nil, value end
  local text = op.returns == "text"
  local headers = {
    Accept = text and "text/plain, application/problem+json" or "application/json, application/problem+json",
    ["User-Agent"] = config.user_agent,
    ["Content-Type"] = c.body ~= nil and not c.raw and "application/json" or nil,
  }
  local bad = not op.base and add_headers(headers, config.headers) or add_headers(headers, c.options.headers)
    or name and add_headers(headers, { [name] = value })
  if bad then return nil, bad end
  return headers
end

local function sorted_names(query)
  local names = {}
  for name in pairs(query) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- What of a query may be shown: the names of its parameters.
function request.shown_query(query)
  return next(query) ~= nil and "?" .. table.concat(sorted_names(query), "&") or ""
end

-- The query of a URL. Names that an operation declares need no escapes.
local function query_string(query, declared)
  local first, value = next(query)
  if first == nil then return "" end
  if declared and next(query, first) == nil then return "?" .. first .. "=" .. url.escape(value) end
  local words = {}
  for _, name in ipairs(sorted_names(query)) do
    value = query[name]
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      words[#words + 1] = url.escape(name) .. "=" .. url.escape(each)
    end
  end
  return words[1] and "?" .. table.concat(words, "&") or ""
end

-- The literal pieces of a path, around its placeholders.
local function split(op)
  local pieces = {}
  for piece in (op.path .. "{}"):gmatch "([^{]*)%b{}" do pieces[#pieces + 1] = piece end
  op.pieces = pieces
  return pieces
end

local function url_of(op, base, path)
  local pieces = op.pieces or split(op)
  local text = base .. pieces[1]
  for i = 2, #pieces do text = text .. url.escape(path[op.placeholders[i - 1]]) .. pieces[i] end
  return text
end

-- A request but for its query: URL, headers, body, base URL; nil and a message.
local function build(c, bearer)
  local op, config, body = c.op, c.config, c.body
  local headers, why = headers_of(c, bearer)
  if not headers then return nil, why end
  if body ~= nil and not c.raw then
    body, why = core.encode(body)
    if not body then return nil, "the request body cannot be written as JSON: " .. why end
  end
  local base = op.base or request.address(config, op.server or "api")
  return url_of(op, base, c.path), headers, body, base
end

--- Builds one request. `base_url` replaces all servers, `servers` single ones, an operation's `base` both. What calls
-- that name no id have in common is kept with the client.
---@param attempt ampersand.Attempt query, bearer
---@return string? url
---@return table<string, string>|string headers shared by requests; without a URL why there is none (kind "config")
---@return string? body
---@return string? base the beginning of the URL
function request.build(c, attempt)
  local kept, bearer = c.client._kept, attempt.bearer and attempt.bearer()
  local is_plain = c.path == kept.paths[c.op] and c.body == nil and not bearer and not c.options.headers
  local known = is_plain and kept.requests[c.path]
  if not known then
    local text, headers, body, base = build(c, bearer)
    if not text then return nil, headers end
    function known() return text, headers, body, base end -- they hold a secret
    if is_plain then kept.requests[c.path] = known end
  end
  local text, headers, body, base = known()
  return text .. query_string(attempt.query, c.op.query), headers, body, base
end

return request
