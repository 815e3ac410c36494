-- From the counts of `make coverage` to a report: lua5.4 .ci/coverage.lua build/5.4-coverage build/coverage

local build, directory = arg[1], arg[2]

local function lines_of(command)
  local pipe = assert(io.popen(command))
  local list = {}
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

-- { path, all, missed = { line numbers } }
local function c_file(path)
  local file = { path = path, all = 0, missed = {} }
  local text = lines_of(("gcov -t -o %s/obj %s 2>/dev/null"):format(build, path))
  local ours = false
  for _, line in ipairs(text) do
    local count, number, rest = line:match "^%s*([^:]+):%s*(%d+):(.*)$"
    if number == "0" and rest:find "^Source:" then ours = rest == "Source:" .. path end
    if ours and number and number ~= "0" and count ~= "-" then
      file.all = file.all + 1
      if count:find "^[#=]" then file.missed[#file.missed + 1] = tonumber(number) end
    end
  end
  return file
end

local reached = {}
for _, name in ipairs(lines_of(("find %s -name '*.lines'"):format(directory))) do
  for line in io.lines(name) do reached[line] = true end
end

local function lua_file(path)
  local file, seen = { path = path, all = 0, missed = {} }, {}
  for _, line in ipairs(lines_of("luac5.4 -l -p " .. path)) do
    local number, instruction = line:match "^%s+%d+%s+%[(%d+)%]%s+(%u+)"
    -- the end of a function and a vararg's preparation are no lines of their own
    local none = instruction == "RETURN" or instruction == "RETURN0" or instruction == "VARARGPREP"
    if number and not none then seen[tonumber(number)] = true end
  end
  for number in pairs(seen) do
    file.all = file.all + 1
    if not reached[path .. " " .. number] then file.missed[#file.missed + 1] = number end
  end
  table.sort(file.missed)
  return file
end

local function ranges(numbers)
  local list = {}
  for _, n in ipairs(numbers) do
    local last = list[#list]
    if last and last[2] == n - 1 then last[2] = n else list[#list + 1] = { n, n } end
  end
  for i, range in ipairs(list) do
    list[i] = range[1] == range[2] and tostring(range[1]) or range[1] .. "-" .. range[2]
  end
  return table.concat(list, ", ")
end

local out = assert(io.open(directory .. "/REPORT.md", "w"))
local function report(title, files)
  local all, missed = 0, 0
  local rows = {}
  for _, file in ipairs(files) do
    all, missed = all + file.all, missed + #file.missed
    local share = file.all == 0 and 100 or 100 * (1 - #file.missed / file.all)
    rows[#rows + 1] = ("| %s | %.1f | %d | %s |"):format(file.path, share, file.all, ranges(file.missed))
  end
  local total = ("%s: %.1f %% of %d lines"):format(title, 100 * (1 - missed / math.max(all, 1)), all)
  print(total)
  out:write("## ", total, "\n\n| file | % | lines | not reached |\n|---|---|---|---|\n")
  out:write(table.concat(rows, "\n"), "\n\n")
end

local c, lua = {}, {}
for _, path in ipairs(lines_of "ls src/*.c | grep -v lua_preload") do c[#c + 1] = c_file(path) end
for _, path in ipairs(lines_of "find lua -name '*.lua' ! -name types.lua | sort") do lua[#lua + 1] = lua_file(path) end
report("C", c)
report("Lua", lua)
out:close()
print(directory .. "/REPORT.md")
