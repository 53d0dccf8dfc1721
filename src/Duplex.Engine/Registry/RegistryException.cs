using Duplex.Sdk;

namespace Duplex.Engine.Registry;

/// <summary>What kept a document or a command from being taken.</summary>
public enum RegistryFault
{
    /// <summary>What it names does not exist.</summary>
    Unknown,
    /// <summary>The document is wrong; the findings say where.</summary>
    Invalid,
    /// <summary>It is right and cannot be done as things stand.</summary>
    Conflict,
}

/// <summary>A document or a command was not taken; nothing was changed.</summary>
public sealed class RegistryException(
    RegistryFault fault, string code, string message, string fix, IReadOnlyList<Finding>? findings = null)
    : Exception(message)
{
    /// <summary>The kind of fault.</summary>
    public RegistryFault Fault { get; } = fault;

    /// <summary>The stable dotted code.</summary>
    public string Code { get; } = code;

    /// <summary>What to do about it.</summary>
    public string Fix { get; } = fix;

    /// <summary>Everything that was found.</summary>
    public IReadOnlyList<Finding> Findings { get; } = findings ?? [];
}
