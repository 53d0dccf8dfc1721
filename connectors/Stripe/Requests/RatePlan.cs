using System.Collections.Concurrent;
using System.Globalization;
using Duplex.Sdk;

namespace Duplex.Connectors.Stripe.Requests;

/// <summary>
/// Stripe's two levels of limits: one for the account, one per operation. An operation is an endpoint with its method,
/// so that creating customers and reading one customer have separate budgets.
/// </summary>
internal sealed class RatePlan
{
    private static readonly TimeSpan RateHold = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ConcurrencyHold = TimeSpan.FromMilliseconds(250);

    private readonly IRateBudget _budget;
    private readonly string _accountScope;
    private readonly double _accountRate;
    private readonly double _operationRate;
    private readonly Dictionary<string, double> _rates = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (string Scope, double Rate)> _operations =
        new(StringComparer.Ordinal);

    public RatePlan(ConnectorContext context)
    {
        var settings = context.Settings;
        _budget = context.Budget;
        _accountScope = $"{context.Tenant}/{context.Connection}";
        _accountRate = settings.Has(StripeSettings.RequestsPerSecond)
            ? settings.Get(StripeSettings.RequestsPerSecond)
            : AllowedBy(settings.Get(StripeSettings.ApiKey));
        _operationRate = settings.Get(StripeSettings.RequestsPerOperation);
        foreach (var (operation, text) in settings.Get(StripeSettings.OperationRates))
        {
            if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate))
            {
                _rates[operation] = rate;
            }
        }
    }

    /// <summary>Waits for the operation's turn, then for the account's: one busy operation must not hold the account's
    /// tokens.</summary>
    public async ValueTask AcquireAsync(string operation, CancellationToken cancellationToken)
    {
        var (scope, rate) = Of(operation);
        await _budget.AcquireAsync(scope, rate, Burst(rate), cancellationToken);
        await _budget.AcquireAsync(_accountScope, _accountRate, Burst(_accountRate), cancellationToken);
    }

    /// <summary>Holds back what a 429 complains of.</summary>
    public void HoldBack(string operation, string? reason, TimeSpan? retryAfter)
    {
        switch (reason)
        {
            case "endpoint-rate":
                _budget.HoldBack(Of(operation).Scope, retryAfter ?? RateHold);
                break;
            case "endpoint-concurrency":
                _budget.HoldBack(Of(operation).Scope, retryAfter ?? ConcurrencyHold);
                break;
            case "global-concurrency":
                _budget.HoldBack(_accountScope, retryAfter ?? ConcurrencyHold);
                break;
            case "resource-specific":
                // One object is asked too often; the others may go on.
                break;
            default:
                _budget.HoldBack(_accountScope, retryAfter ?? RateHold);
                break;
        }
    }

    private static double AllowedBy(string? key) =>
        key is not null && key.Contains("_test_", StringComparison.Ordinal) ? 25 : 100;

    /// <summary>A fifth of a second's worth, so that no second ever sees more than the rate by much.</summary>
    private static int Burst(double rate) => Math.Max(1, (int)Math.Ceiling(rate / 5));

    private (string Scope, double Rate) Of(string operation) => _operations.GetOrAdd(operation, static (name, plan) =>
        ($"{plan._accountScope}/{name}", plan._rates.GetValueOrDefault(name, plan._operationRate)), this);
}
