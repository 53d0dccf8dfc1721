global using Duplex.Sdk;
global using Shouldly;
global using Xunit;
global using Record = Duplex.Sdk.Record;
global using Duplex.Simulators.Stripe;
global using Duplex.Simulators.Stripe.Faults;
