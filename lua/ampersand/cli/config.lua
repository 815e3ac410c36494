--- Settings: flags, the environment, and the profiles of the configuration file.
--
-- The file is `$XDG_CONFIG_HOME/ampersand/config`: profiles in brackets, `name = value` lines, comments behind `#` or
-- `;`. It holds keys: a file that others can read is refused.

local argcheck = require "ampersand.util.argcheck"
local environment = require "ampersand.util.environment"
local redact = require "ampersand.util.redact"
local url = require "ampersand.util.url"

local config = {}

--- What a profile may hold: its name, the option of ampersand.new, whether it is secret.
config.SETTINGS = {
  { name = "key", option = "api_key", secret = true }, { name = "bearer", option = "bearer", secret = true },
  { name = "url", option = "base_url" }, { name = "project", option = "project" },
  { name = "integration", option = "integration" }, { name = "org", option = "org" },
  { name = "region", option = "region" },
}

local by_name = {}
for _, setting in ipairs(config.SETTINGS) do by_name[setting.name] = setting end

--- Where the file is.
---@return string? path nil when there is no home
function config.path()
  local base, home = environment.get "XDG_CONFIG_HOME", environment.get "HOME"
  base = base or home and home .. "/.config"
  return base and base .. "/ampersand/config"
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- What a command prints first.
local function first_line(command, path)
  local pipe = io.popen(("%s %s 2>/dev/null"):format(command, quote(path)))
  local line = pipe and pipe:read "*l"
  if pipe then pipe:close() end
  return line
end

--- The permissions of a file, or of what a link leads to, as `ls` writes them, such as "-rw-------".
---@param path string
---@return string?
function config.permissions(path)
  return (first_line("ls -ldL", path) or ""):match "^%S%S%S%S%S%S%S%S%S%S"
end

-- The file -----------------------------------------------------------------------------------------------------------

-- A value as it stands: in quotes, or up to a comment behind a blank.
local function value_of(text)
  local mark, quoted = text:match "^([\"'])(.-)%1%s*$"
  if not mark then mark, quoted = text:match "^([\"'])(.-)%1%s+[#;]" end
  return mark and quoted or (text:gsub("%s+[#;].*$", ""):gsub("^[#;].*$", ""))
end

local function line_for(name, value)
  local plain = not value:find "[\"'#;]" and value:match "^%s*(.-)%s*$" == value
  local mark = value:find('"', 1, true) and "'" or '"'
  return ("%s = "):format(name) .. (plain and value or mark .. value .. mark)
end

local function section_of(line)
  return line:match "^%s*%[%s*([%w_.-]+)%s*%]%s*$" or line:match "^%s*%[%s*([%w_.-]+)%s*%]%s*[#;]"
end

-- The lines of a file, without the byte order mark and the line ends of Windows editors.
local function lines_of(text)
  local lines = {}
  for line in (text:gsub("^\239\187\191", "") .. "\n"):gmatch "(.-)\r?\n" do lines[#lines + 1] = line end
  return lines
end

-- lines -> profiles by name and their order, or nil and what is wrong
local function parse(lines, path)
  local profiles, order, profile = {}, {}, nil
  for number, line in ipairs(lines) do
    local section = section_of(line)
    local name, text = line:match "^%s*([%w_]+)%s*=%s*(.-)%s*$"
    if section then
      if not profiles[section] then order[#order + 1] = section end
      profile = profiles[section] or {}
      profiles[section] = profile
    elseif name and profile and by_name[name] then
      profile[name] = value_of(text)
    elseif line:find "%S" and not line:match "^%s*[#;]" then
      local why = name and profile and ("unknown setting %q"):format(name) or "expected [profile] or name = value"
      return nil, ("%s, line %d: %s"):format(path, number, why)
    end
  end
  return profiles, order
end

-- A file others can read is refused: keys are in it.
local function read_lines()
  local path = config.path()
  local file = path and io.open(path, "r")
  if not file then return {} end
  local text = file:read "*a"
  file:close()
  if not text then return nil, path .. " cannot be read" end
  local permissions = config.permissions(path)
  if permissions and permissions:sub(5) ~= "------" then
    local words = "%s can be read by others (%s), and keys are in it; run: chmod 600 %s"
    return nil, words:format(path, permissions, quote(path))
  end
  return lines_of(text)
end

--- Reads the file.
---@return table? profiles by name; empty when there is no file
---@return string[]|string order or message
function config.load()
  local lines, why = read_lines()
  if not lines then return nil, why end
  return parse(lines, config.path())
end

local function execute(command)
  local first = os.execute(command)
  return first == true or first == 0
end

-- Readable for its owner alone from the start, and whole or not there. A link stays one.
local function write(path, text)
  path = first_line("readlink -f", path) or path
  local folder, quoted = quote(path:match "^(.*)/"), quote(path .. ".new")
  local made = execute(("umask 077; mkdir -p %s && rm -f %s && : > %s"):format(folder, quoted, quoted))
  local file = made and io.open(path .. ".new", "w")
  if not file then return nil, path .. ".new cannot be written" end
  local written = file:write(text)
  if not (file:close() and written) then return nil, path .. ".new cannot be written" end
  return os.rename(path .. ".new", path)
end

--- The setting of that name.
---@param name string
---@return table? setting, string? message
function config.setting(name)
  if by_name[name] then return by_name[name] end
  return nil, ("unknown setting %q; %s"):format(name, argcheck.hint(name, argcheck.names(by_name)))
end

-- Changes the line of a setting, or adds it below the last line of its profile; comments stay.
local function replace(lines, profile, name, value)
  local inside, last
  for i, line in ipairs(lines) do
    local section = section_of(line)
    if section then inside = section == profile end
    if inside and line:find "%S" then last = i end
    if inside and line:match "^%s*([%w_]+)%s*=" == name then
      if value then lines[i] = line_for(name, value) else table.remove(lines, i) end
      return
    end
  end
  if not value then return end
  if not last then
    if lines[#lines] == "" then lines[#lines] = nil end
    if #lines > 0 then lines[#lines + 1] = "" end
    lines[#lines + 1] = ("[%s]"):format(profile)
    last = #lines
  end
  table.insert(lines, last + 1, line_for(name, value))
end

--- Changes one setting of one profile; nil as value removes it.
---@param profile string
---@param name string
---@param value string?
---@return boolean? ok, string? message
function config.set(profile, name, value)
  local path = config.path()
  if not path then return nil, "neither XDG_CONFIG_HOME nor HOME is set" end
  if not profile:match "^[%w_.-]+$" then return nil, ("%q cannot be a profile's name"):format(profile) end
  if value and (value:find "[%c]" or value:find '"' and value:find "'") then
    return nil, "a value is one line, with quotes of one kind"
  end
  local lines, why = read_lines()
  if not lines then return nil, why end
  local profiles, problem = parse(lines, path)
  if not profiles then return nil, problem end
  replace(lines, profile, name, value)
  return write(path, table.concat(lines, "\n"):gsub("\n+$", "") .. "\n")
end

-- What holds ---------------------------------------------------------------------------------------------------------

--- The name of the profile in use.
---@param wanted string? by --profile
function config.profile(wanted)
  return wanted or environment.get "AMPERSAND_PROFILE" or "default"
end

-- The profile asked for must exist; the one called "default" need not.
local function choose(wanted, create)
  local profiles, order = config.load()
  if not profiles then return nil, order end
  local name = config.profile(wanted)
  if profiles[name] or create or name == "default" and not wanted then return profiles[name] or {}, name end
  local known = #order > 0 and argcheck.hint(name, order) or "it has no profile yet; `ampersand config set` makes one"
  return nil, ("no profile %q in %s; %s"):format(name, config.path() or "the configuration", known)
end

--- Settles what holds: flags, then the profile named by --profile, then the environment, then the profile that
--- AMPERSAND_PROFILE names, or "default".
---@param flags table setting name -> value
---@param wanted string? the profile of --profile
---@param create boolean? the profile need not be there yet
---@return table? values option of ampersand.new -> value, as it was given
---@return table|string sources setting name -> words; or a message
function config.settle(flags, wanted, create)
  local profile, name = choose(wanted, create)
  if not profile then return nil, name end
  local values, sources = {}, {}
  for _, setting in ipairs(config.SETTINGS) do
    local saved = profile[setting.name] ~= "" and profile[setting.name] or nil
    local variable, variable_name = environment.option(setting.option)
    local value, source = flags[setting.name], "--" .. setting.name
    if not value and wanted and saved then value, source = saved, "profile " .. name end
    if not value and variable then value, source = variable, variable_name end
    if not value and saved then value, source = saved, "profile " .. name end
    values[setting.option], sources[setting.name] = value, value and source
  end
  return values, sources
end

--- Why a region is not one; nil when it is.
function config.check_region(text)
  local _, why = url.region(text)
  return why and ("the region %q %s"):format(text, why)
end

--- Whether a URL is one the library takes; the words when not.
function config.check_url(text)
  local _, why = url.check(url.base(text), false)
  return why and ("the URL %s %s"):format(redact.url(text), (why:gsub(", or set allow_insecure_http.*", ""))) or nil
end

return config
