namespace Duplex.Simulators.Stripe.Faults;

/// <summary>The faults that are armed, and the seeded chance behind them. Safe for parallel use.</summary>
internal sealed class FaultPlan(int seed)
{
    private readonly Lock gate = new();
    private readonly List<Armed> armed = [];
    private readonly Dictionary<FaultKind, long> struck = [];
    private Random random = new(seed);
    private volatile bool any;

    public void Add(FaultRule rule)
    {
        lock (gate)
        {
            armed.Add(new Armed(rule));
            any = true;
        }
    }

    /// <summary>Disarms everything and starts the chance anew; counts stay.</summary>
    public void Clear()
    {
        lock (gate)
        {
            armed.Clear();
            random = new Random(seed);
            any = false;
        }
    }

    public void ClearCounts()
    {
        lock (gate)
        {
            struck.Clear();
        }
    }

    public IReadOnlyList<FaultRule> Rules()
    {
        lock (gate)
        {
            return [.. armed.Select(static entry => entry.Rule with { Next = entry.Left })];
        }
    }

    public IReadOnlyDictionary<FaultKind, long> Counts()
    {
        lock (gate)
        {
            return new Dictionary<FaultKind, long>(struck);
        }
    }

    /// <summary>The fault that strikes this request, leaving slowness and webhooks aside; null for none.</summary>
    public FaultRule? ForRequest(string operation) =>
        Pick(operation, static kind => kind < FaultKind.Slow);

    /// <summary>Milliseconds that this request is held up.</summary>
    public int DelayOf(string operation) =>
        Pick(operation, static kind => kind == FaultKind.Slow) is { } rule ? rule.DelayMilliseconds ?? 1000 : 0;

    public FaultRule? ForWebhook(string eventType) =>
        Pick(eventType, static kind => kind > FaultKind.Slow);

    /// <summary>A random number of milliseconds below <paramref name="bound"/>.</summary>
    public int Milliseconds(int bound)
    {
        lock (gate)
        {
            return random.Next(Math.Max(1, bound));
        }
    }

    /// <summary>Counts a fault that took effect.</summary>
    public void Struck(FaultKind kind)
    {
        lock (gate)
        {
            struck[kind] = struck.GetValueOrDefault(kind) + 1;
        }
    }

    private FaultRule? Pick(string subject, Func<FaultKind, bool> wanted)
    {
        if (!any)
        {
            return null;
        }

        lock (gate)
        {
            for (var i = 0; i < armed.Count; i++)
            {
                var entry = armed[i];
                if (!wanted(entry.Rule.Kind) || !Matches(entry.Rule.Operation, subject) || !entry.Strikes(random))
                {
                    continue;
                }

                if (entry.Left == 0)
                {
                    armed.RemoveAt(i);
                    any = armed.Count > 0;
                }

                if (entry.Rule.Kind != FaultKind.StaleRead)
                {
                    Struck(entry.Rule.Kind);
                }

                return entry.Rule;
            }
        }

        return null;
    }

    private static bool Matches(string? pattern, string subject) =>
        pattern is null || pattern == subject
        || (pattern.EndsWith('*') && subject.StartsWith(pattern[..^1], StringComparison.Ordinal));

    private sealed class Armed(FaultRule rule)
    {
        private int toSkip = rule.Skip;

        public FaultRule Rule { get; } = rule;

        public int? Left { get; private set; } = rule.Next;

        public bool Strikes(Random random)
        {
            if (toSkip > 0)
            {
                toSkip--;
                return false;
            }

            if (Left == 0 || (Rule.Probability < 1 && random.NextDouble() >= Rule.Probability))
            {
                return false;
            }

            Left = Left is { } left ? left - 1 : null;
            return true;
        }
    }
}
