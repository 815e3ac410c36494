--- Settings: flags, then the environment, then the profile of the configuration file.
--
-- The file is `$XDG_CONFIG_HOME/ampersand/config`: profiles in brackets, `name = value` lines. It holds keys, so nobody
-- but its owner may be able to read it.

local base_url = require "ampersand.util.url"
local argcheck = require "ampersand.util.argcheck"
local redact = require "ampersand.util.redact"

local config = {}

--- What a profile may hold: name, the flag's target, variables of the environment, whether it is secret.
config.SETTINGS = {
  { name = "key", option = "api_key", env = { "AMP_API_KEY", "AMPERSAND_API_KEY" }, secret = true },
  { name = "bearer", option = "bearer", env = { "AMPERSAND_BEARER" }, secret = true },
  { name = "url", option = "base_url", env = { "AMP_API_URL", "AMPERSAND_API_URL" } },
  { name = "project", option = "project", env = { "AMPERSAND_PROJECT_ID" } },
  { name = "integration", option = "integration", env = { "AMPERSAND_INTEGRATION_ID" } },
  { name = "org", option = "org", env = { "AMPERSAND_ORG_ID" } },
}

local by_name = {}
for _, setting in ipairs(config.SETTINGS) do by_name[setting.name] = setting end

local function environment(name)
  local value = os.getenv(name)
  if value ~= "" then return value end
end

--- Where the file is.
---@return string? path nil when there is no home
function config.path()
  local base = environment "XDG_CONFIG_HOME"
  if not base then
    local home = environment "HOME"
    base = home and home .. "/.config"
  end
  return base and base .. "/ampersand/config"
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- The permissions of a file as `ls` writes them, such as "-rw-------".
---@param path string
---@return string?
function config.permissions(path)
  local pipe = io.popen("ls -ld " .. quote(path) .. " 2>/dev/null")
  local line = pipe and pipe:read "*l"
  if pipe then pipe:close() end
  return line and line:match "^%S%S%S%S%S%S%S%S%S%S"
end

-- text -> profiles by name, or nil and what is wrong
local function parse(text, path)
  local profiles, order, profile, number = {}, {}, nil, 0
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    number = number + 1
    local section = line:match "^%s*%[%s*([%w_.-]+)%s*%]%s*$"
    local name, value = line:match "^%s*([%w_]+)%s*=%s*(.-)%s*$"
    if section then
      profile = profiles[section] or {}
      if not profiles[section] then order[#order + 1] = section end
      profiles[section] = profile
    elseif name and profile and by_name[name] then
      profile[name] = value
    elseif not line:match "^%s*$" and not line:match "^%s*[#;]" then
      local why = name and profile and ("unknown setting %q"):format(name) or "expected [profile] or name = value"
      return nil, ("%s, line %d: %s"):format(path, number, why)
    end
  end
  return profiles, order
end

--- Reads the file. A file others can read is refused: keys are in it.
---@return table? profiles by name; empty when there is no file
---@return string[]|string order or message
function config.load()
  local path = config.path()
  local file = path and io.open(path, "r")
  if not file then return {}, {} end
  local text = file:read "*a"
  file:close()
  if not text then return nil, path .. " cannot be read" end
  local permissions = config.permissions(path)
  if permissions and permissions:sub(5) ~= "------" then
    local words = "%s can be read by others (%s), and keys are in it; run: chmod 600 %s"
    return nil, words:format(path, permissions, quote(path))
  end
  return parse(text, path)
end

local function execute(command)
  local first = os.execute(command)
  return first == true or first == 0
end

local function write(path, text)
  local folder, quoted = quote(path:match "^(.*)/"), quote(path .. ".new")
  local made = execute(("umask 077; mkdir -p %s && rm -f %s && : > %s"):format(folder, quoted, quoted))
  local file = made and io.open(path .. ".new", "w")
  if not file then return nil, path .. ".new cannot be written" end
  local written = file:write(text)
  written = file:close() and written
  local moved, why = os.rename(path .. ".new", path)
  if not (written and moved) then return nil, why or path .. " cannot be written" end
  return true
end

--- Writes all profiles back, readable for their owner alone.
---@param profiles table<string, table>
---@param order string[]
---@return boolean? ok, string? message
function config.save(profiles, order)
  local path = config.path()
  if not path then return nil, "neither XDG_CONFIG_HOME nor HOME is set" end
  local lines = {}
  for _, name in ipairs(order) do
    lines[#lines + 1] = ("[%s]"):format(name)
    for _, setting in ipairs(config.SETTINGS) do
      local value = profiles[name][setting.name]
      if value then lines[#lines + 1] = ("%s = %s"):format(setting.name, value) end
    end
    lines[#lines + 1] = ""
  end
  return write(path, table.concat(lines, "\n"))
end

--- The setting of that name.
---@param name string
---@return table? setting, string? message
function config.setting(name)
  if by_name[name] then return by_name[name] end
  return nil, ("unknown setting %q; %s"):format(name, argcheck.hint(name, argcheck.names(by_name)))
end

--- Changes one setting of one profile; nil as value removes it.
---@param profile_name string
---@param name string
---@param value string?
---@return boolean? ok, string? message
function config.set(profile_name, name, value)
  local setting, why = config.setting(name)
  if not setting then return nil, why end
  if not profile_name:match "^[%w_.-]+$" then return nil, ("%q cannot be a profile's name"):format(profile_name) end
  if value and value:find "[%c]" then return nil, "a value is one line" end
  local profiles, order = config.load()
  if not profiles then return nil, order end
  if not profiles[profile_name] then
    profiles[profile_name] = {}
    order[#order + 1] = profile_name
  end
  profiles[profile_name][name] = value
  return config.save(profiles, order)
end

-- The profile asked for must exist; the one called "default" need not.
local function choose(wanted)
  local profiles, order = config.load()
  if not profiles then return nil, order end
  local name = wanted or environment "AMPERSAND_PROFILE"
  if name and not profiles[name] then
    local known = #order > 0 and argcheck.hint(name, order) or "there is none yet; `ampersand config set` makes one"
    return nil, ("no profile %q in %s; %s"):format(name, config.path() or "the configuration", known)
  end
  return profiles[name or "default"] or {}, name or "default"
end

--- A root as AMP_API_URL has it -> the base URL, with /v1.
function config.base_url(root)
  root = root:gsub("/+$", "")
  return root:match "/v1$" and root or root .. "/v1"
end

--- The name of the profile in use.
---@param wanted string? by --profile
function config.profile(wanted)
  return wanted or environment "AMPERSAND_PROFILE" or "default"
end

--- Settles what holds: option name -> value, and where each comes from.
---@param flags table setting name -> value
---@param profile string? asked for by name
---@return table? values option names of ampersand.new
---@return table|string sources setting name -> words; or a message
---@return table? overridden names of the environment's variables that hide values of the profile
function config.settle(flags, profile)
  local chosen, profile_name = choose(profile)
  if not chosen then return nil, profile_name end
  local values, sources, overridden = {}, {}, {}
  for _, setting in ipairs(config.SETTINGS) do
    local name, value, source = setting.name, flags[setting.name], "--" .. setting.name
    for _, variable in ipairs(setting.env) do
      local found = value == nil and environment(variable)
      if found then
        value, source = found, variable
        if chosen[name] and chosen[name] ~= found then overridden[#overridden + 1] = variable end
      end
    end
    if value == nil and (chosen[name] or "") ~= "" then value, source = chosen[name], "profile " .. profile_name end
    if value then values[setting.option], sources[name] = value, source end
  end
  if values.base_url then values.base_url = config.base_url(values.base_url) end
  return values, sources, overridden
end

--- Whether a base URL is one the library takes; the words when not.
function config.check_url(url)
  local _, why = base_url.check(url, false)
  return why and ("the URL %s %s"):format(redact.url(url), (why:gsub(", or set allow_insecure_http.*", ""))) or nil
end

return config
