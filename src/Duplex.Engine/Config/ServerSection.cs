using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Duplex.Engine.Config;

/// <summary>Reads <c>server:</c>.</summary>
internal static class ServerSection
{
    private const int DataPort = 3000;
    private const int ControlPort = 8000;

    public static ServerModel Read(Section root, ConfigReport report, References references)
    {
        var map = root.Map("server") ?? new MapNode("/server", root.Node.Line, root.Node.Column, []);
        var section = new Section(map, "server", report, references);
        var keys = Keys(section, report, references);
        var model = new ServerModel
        {
            DataPlane = Address(section, "data_plane", DataPort, report),
            ControlPlane = Address(section, "control_plane", ControlPort, report),
            ApiKeys = keys,
            LogLevel = section.Choice("log_level", LogLevel.Information, ("trace", LogLevel.Trace),
                ("debug", LogLevel.Debug),
                ("information", LogLevel.Information), ("warning", LogLevel.Warning), ("error", LogLevel.Error)),
            BodyBytesMax = section.Size("body_max", 1 << 20, 1 << 10, 1 << 28),
            StopWithin = section.Duration("stop_within", TimeSpan.FromSeconds(10)),
        };
        section.Close();
        if (model.DataPlane.Port != 0 && model.DataPlane.Port == model.ControlPlane.Port)
        {
            report.Error("config.bad_value", map, "data_plane and control_plane have the same port.",
                "Give them different ports.");
        }

        if (keys.Count == 0 && map.Find("api_keys") is null && !IPAddress.IsLoopback(model.ControlPlane.Address))
        {
            report.Error("config.unprotected", map.Find("control_plane") ?? map,
                "The control plane is reachable from other machines and has no API key.",
                "Add server.api_keys, or listen on 127.0.0.1.");
        }

        return model;
    }

    private static IPEndPoint Address(Section section, string name, int port, ConfigReport report)
    {
        var fallback = new IPEndPoint(IPAddress.Loopback, port);
        if (section.Text(name) is not { } text)
        {
            return fallback;
        }

        if (text.All(char.IsAsciiDigit) && int.TryParse(text, CultureInfo.InvariantCulture, out var bare)
            && bare <= IPEndPoint.MaxPort)
        {
            return new IPEndPoint(IPAddress.Loopback, bare);
        }

        var given = text.StartsWith("localhost", StringComparison.OrdinalIgnoreCase) ? $"127.0.0.1{text[9..]}"
            : text.StartsWith('*') ? $"0.0.0.0{text[1..]}" : text;
        // What has neither dot nor colon parses as one number of 32 bits, and nobody means that.
        if (given.AsSpan().ContainsAny('.', ':') && IPEndPoint.TryParse(given, out var address))
        {
            return address.Port == 0 && !given.EndsWith(":0", StringComparison.Ordinal)
                ? new IPEndPoint(address.Address, port) : address;
        }

        report.Error("config.bad_value", section.Any(name)!, $"{name} must be an address and a port.",
            $"For example 127.0.0.1:{port}, or 0.0.0.0:{port} for every network.");
        return fallback;
    }

    private static List<ApiKeyModel> Keys(Section section, ConfigReport report, References references)
    {
        var keys = new List<ApiKeyModel>();
        foreach (var item in section.List("api_keys")?.Items ?? [])
        {
            if (section.Expect<MapNode>(item, "An API key", "a map",
                "Write - { name: ops, key: \"${secret:api-ops}\", role: operator }.") is not { } map)
            {
                continue;
            }

            var entry = new Section(map, "An API key", report, references);
            var name = entry.Text("name", "Name it: name: ops");
            var key = entry.Text("key", "Refer to it: key: ${secret:api-ops}");
            var role = entry.Choice("role", ApiRole.Viewer,
                ("viewer", ApiRole.Viewer), ("operator", ApiRole.Operator), ("admin", ApiRole.Admin));
            var tenant = entry.Text("tenant");
            entry.Close();
            if (name is null || key is null)
            {
                continue;
            }

            if (key.Length < ApiKeyModel.LengthMin)
            {
                report.Error("config.bad_value", map.Find("key")!,
                    $"An API key has at least {ApiKeyModel.LengthMin} characters.",
                    "Make one: openssl rand -hex 32");
            }

            if (keys.Any(k => k.Name == name))
            {
                report.Error("config.duplicate", map.Find("name")!, "Two API keys have this name.",
                    "Rename one of them.");
            }

            keys.Add(new ApiKeyModel(name, role, tenant, SHA256.HashData(Encoding.UTF8.GetBytes(key))));
        }

        return keys;
    }
}
