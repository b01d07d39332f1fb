from lewm_lite.objectives.sigreg import SIGReg, epps_pulley, random_directions, sigreg
from lewm_lite.seeding import seeded
