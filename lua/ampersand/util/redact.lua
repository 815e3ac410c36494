--- What is secret, and how it is hidden: keys and tokens in texts, members of payloads, headers, queries. Pure.

local redact = {}

local HIDDEN = "[redacted]"
local SHORTEST = 6 -- a "secret" of a few letters would be found in every word
local MAX_DEPTH = 100

redact.HIDDEN = HIDDEN

local function set(words)
  local names = {}
  for word in words:gmatch "%S+" do names[word] = true end
  return names
end

-- Members whose text, or any text within, is a secret, wherever they stand.
local MEMBERS = set [[token accessToken refreshToken idToken apiKey password clientSecret secret secrets privateKey
  secretAccessKey awsSecretKey awsSessionToken webhookSigningKey customAuth credentials signingSecret callbackParams]]

-- Times show when a token expires, not its value.
local HARMLESS = set "issuedAt expiresAt createTime updateTime scopes"

local HEADERS = set "authorization proxy-authorization cookie set-cookie x-api-key www-authenticate"

-- Parameters of queries that open doors; signed links have them too.
local PARAMETERS = set [[access_token token api_key apikey hapikey key password secret client_secret code sig signature
  x-goog-signature x-amz-signature x-amz-security-token x-amz-credential x-goog-credential]]

---@param name any name of a member of a payload
function redact.is_secret_member(name) return MEMBERS[name] == true end

---@param name string name of a header, in any case
function redact.is_secret_header(name) return HEADERS[name:lower()] == true end

---@param name string name of a query parameter, in any case
function redact.is_secret_parameter(name) return PARAMETERS[name:lower()] == true end

local function hide_parameter(mark, name)
  if PARAMETERS[name:lower()] then return mark .. name .. "=" .. HIDDEN end
end

-- Not the "bearer token" of a sentence.
local function hide_bearer(word, token)
  if #token > 16 or token:find "[^%a]" then return word .. HIDDEN end
end

local function from_hex(digits)
  return string.char(tonumber(digits, 16))
end

-- A text with the escapes of JSON and of URLs undone, as far as they stand for printable ASCII.
local function unescape(text)
  return (text:gsub("\\u00([2-7]%x)", from_hex):gsub("\\/", "/"):gsub("%%([2-7]%x)", from_hex))
end

-- The text without one secret, in any case: hosts and schemes lose theirs.
local function hide_secret(text, secret)
  local wanted, plain = secret:lower(), text:find "[\\%%]" and unescape(text) or text
  if #wanted < SHORTEST or not (text .. plain):lower():find(wanted:sub(1, SHORTEST), 1, true) then return text end
  if not text:lower():find(wanted, 1, true) and plain:lower():find(wanted, 1, true) then text = plain end
  local from, to = text:lower():find(wanted, 1, true)
  while from do
    text = text:sub(1, from - 1) .. HIDDEN .. text:sub(to + 1)
    from, to = text:lower():find(wanted, from + #HIDDEN, true)
  end
  for length = #wanted - 1, SHORTEST, -1 do -- a text that was cut
    if text:sub(-length):lower() == wanted:sub(1, length) then text = text:sub(1, -length - 1) .. HIDDEN end
  end
  return text
end

--- A text without secrets: those given, and what has the shape of one (a JWT, "Bearer …", a signed link's query).
---@param text string
---@param secrets table<any, string>? texts that must not appear
---@return string
function redact.text(text, secrets)
  for _, secret in pairs(secrets or {}) do text = hide_secret(text, secret) end
  if not text:find "[%s=/.]" then return text end -- has none of the shapes below
  text = text:gsub("eyJ[%w_%-]+%.[%w_%-]+%.[%w_%-]*", HIDDEN):gsub("([Bb]earer%s+)([%w_%-%.=+/~]+)", hide_bearer)
  text = text:gsub("([?&])([%w_%-]+)=[^&#%s\"]+", hide_parameter)
  return (text:gsub("(/api%-keys/)[^/?#%s{\"]+", "%1" .. HIDDEN))
end

--- A copy of a value in which no text, and no key of a table, holds a secret.
---@param value any
---@param secrets table<any, string>?
---@param depth integer? for the recursion
---@return any
function redact.copy(value, secrets, depth)
  depth = depth or 0
  if type(value) == "string" then return redact.text(value, secrets) end
  if type(value) ~= "table" then return value end
  if depth > MAX_DEPTH then return "[too deep]" end
  local copy = setmetatable({}, getmetatable(value))
  for k, v in pairs(value) do copy[redact.copy(k, secrets, depth + 1)] = redact.copy(v, secrets, depth + 1) end
  return copy
end

-- In an API key the secret is called just "key", as harmless things are elsewhere.
local function is_api_key(value)
  return type(value.key) == "string" and value.label ~= nil and value.projectId ~= nil
end

local function hide(value)
  if type(value) == "string" and value ~= "" then return HIDDEN, 1 end
  if type(value) ~= "table" then return value, 0 end
  local copy, count = setmetatable({}, getmetatable(value)), 0
  for name, member in pairs(value) do
    local hidden, n = member, 0
    if not HARMLESS[name] then hidden, n = hide(member) end
    copy[name], count = hidden, count + n
  end
  return copy, count
end

-- In place, since no one else owns the value.
local function walk(value, count)
  for name, member in pairs(value) do
    local kind = type(member)
    if (kind == "string" or kind == "table") and MEMBERS[name] then
      local hidden, n = hide(member)
      value[name], count = hidden, count + n
    elseif kind == "table" then
      count = walk(member, count)
    end
  end
  if value.key ~= nil and is_api_key(value) then value.key, count = HIDDEN, count + 1 end
  return count
end

--- Hides the secret members of a decoded value, in place.
---@param value any
---@param element string? what it is, such as "ApiKey", which a selection may have left unrecognisable
---@return any value, integer count of texts hidden
function redact.value(value, element)
  if type(value) ~= "table" then return value, 0 end
  local count = walk(value, 0)
  if element == "ApiKey" and type(value.key) == "string" and value.key ~= HIDDEN then
    value.key, count = HIDDEN, count + 1
  end
  return value, count
end

--- A URL, or the address of a proxy, without the user name and password it may carry.
---@param url string
---@return string
function redact.url(url)
  local scheme, rest = url:match "^(%a[%w+.-]*://)(.*)$"
  -- up to the last "@": a password may hold what it should have escaped
  return (scheme or "") .. (rest or url):gsub("^.*@", "***@")
end

return redact
