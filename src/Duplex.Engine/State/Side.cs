namespace Duplex.Engine.State;

/// <summary>The two sides of a sync.</summary>
public enum Side : byte
{
    /// <summary>Side A.</summary>
    A = 0,
    /// <summary>Side B.</summary>
    B = 1,
}

/// <summary>What both sides have in common.</summary>
public static class Sides
{
    /// <summary>The opposite side.</summary>
    public static Side Other(this Side side) => side == Side.A ? Side.B : Side.A;

    /// <summary>The lower-case letter, as configuration and API write it.</summary>
    public static string Letter(this Side side) => side == Side.A ? "a" : "b";
}
