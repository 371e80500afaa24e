"""The terms of the W3C Data Privacy Vocabulary 2.3 that the city uses. Labels for people are in the words."""

# Purposes that a city lets be asked for. Selling data and targeting persons are left out on purpose.
PURPOSES = frozenset(
    {
        "AcademicResearch",
        "CombatClimateChange",
        "CommercialResearch",
        "DataAltruism",
        "ImproveExistingProductsAndServices",
        "ImproveHealthcare",
        "ImprovePublicServices",
        "ImproveTransportMobility",
        "InternalResourceOptimisation",
        "NonCommercialResearch",
        "OptimisationForConsumer",
        "ProvideOfficialStatistics",
        "ProvidePersonalisedRecommendations",
        "PublicBenefit",
        "PublicPolicyMaking",
        "RequestedServiceProvision",
        "ResearchAndDevelopment",
        "ScientificResearch",
        "ServiceOptimisation",
        "ServicePersonalisation",
    }
)

DPV = "https://w3id.org/dpv#"
